import { describe, expect, test } from 'vitest';
import { access } from '../../support/access.ts';
import { credentials, type Person } from '../../support/tokens.ts';
import { jobId, portfolioId } from '../fake-service.ts';
import { ask, serve, tokens } from '../serve.ts';

const challenge = 'Bearer realm="symbol-onboarding"';

describe('with tokens', () => {
  test.each([
    ['nothing', undefined, challenge],
    ['a wrong token', 'Bearer token-of-eve', `${challenge}, error="invalid_token"`],
    ['another scheme', 'Basic YW5uOnRva2Vu', `${challenge}, error="invalid_token"`],
    ['the name', 'Bearer ann', `${challenge}, error="invalid_token"`],
  ])('a request with %s is 401 and says how to fix it', async (_, authorization, expected) => {
    const { url, fake } = await serve({ tokens });
    const { status, headers, body } = await ask(`${url}/onboarding`, {
      headers: authorization ? { authorization } : {},
    });
    expect([status, body.code]).toEqual([401, 'unauthenticated']);
    expect(headers.get('www-authenticate')).toBe(expected);
    expect(JSON.stringify(body)).not.toContain('eve');
    expect(fake.calls).toEqual([]);
  });

  test('a request is its token’s, whatever else it says', async () => {
    const { url, fake } = await serve({ tokens });
    await ask(`${url}/portfolios/${portfolioId}?owner=bob`, {
      headers: { ...credentials('ann'), 'x-forwarded-user': 'olga' },
    });
    expect(fake.calls).toEqual([[portfolioId, { name: 'ann', role: 'user' }]]);
    await ask(`${url}/portfolios`, {
      method: 'POST',
      headers: { ...credentials('bob'), 'content-type': 'text/csv' },
      body: 'x',
    });
    expect(fake.uploads).toMatchObject([{ owner: 'bob' }]);
  });

  test('a body cannot say whose the portfolio is', async () => {
    const { url, fake } = await serve({ tokens });
    const position = { symbol: 'AAPL', quantity: '1', entry_price: '1', entry_date: '2025-01-02' };
    const post = (body: object) =>
      ask(`${url}/portfolios`, {
        method: 'POST',
        headers: { ...credentials('ann'), 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await post({ positions: [position] })).status).toBe(202);
    for (const body of [
      { owner: 'bob', positions: [position] },
      { positions: [{ ...position, owner: 'bob' }] },
    ]) {
      const answer = await post(body);
      expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
    }
    expect(fake.uploads).toMatchObject([{ owner: 'ann' }]);
  });

  test('a stranger cannot tell what is here from what is not', async () => {
    const { url } = await serve({ tokens });
    const answers = await Promise.all(
      ['/portfolios', '/nowhere', `/portfolios/${portfolioId}`].map(async (path) => {
        const { status, body } = await ask(url + path);
        const { instance: _, request_id: __, ...same } = body;
        return JSON.stringify([status, same]);
      }),
    );
    expect(new Set(answers).size).toBe(1);
    expect((await ask(`${url}/portfolios`, { method: 'PATCH' })).status).toBe(401);
    const headers = credentials('ann');
    expect((await ask(`${url}/nowhere`, { headers })).status).toBe(404);
    expect((await ask(`${url}/portfolios`, { method: 'PATCH', headers })).status).toBe(405);
  });

  test('a body is refused before it is read', async () => {
    const { url, fake } = await serve({ tokens });
    const { status } = await ask(`${url}/portfolios`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: 'x'.repeat(1_000_000),
    });
    expect([status, fake.uploads]).toEqual([401, []]);
  });

  test('a proxy may call the service by any name', async () => {
    const { url, server } = await serve({ tokens });
    const { statusCode } = await server.inject({
      url: '/onboarding',
      headers: { ...credentials('ann'), host: 'onboarding.example' },
    });
    expect(statusCode).toBe(200);
    expect((await ask(`${url}/health/live`)).status).toBe(200);
  });
});

describe('every route', () => {
  const ask = async (
    server: Awaited<ReturnType<typeof serve>>['server'],
    route: string,
    person: Person | null,
  ) => {
    const [method = '', path = ''] = route.split(' ');
    const url = path
      .replace(':symbol', 'AAPL')
      .replace(':code', 'queue_full')
      .replace('*', 'index.css')
      .replace(':id', path.startsWith('/portfolios') ? portfolioId : jobId);
    const { statusCode } = await server.inject({
      method: method as 'GET',
      url,
      headers: credentials(person),
    });
    return statusCode;
  };

  test('is in the table of who may', async () => {
    const found = new Set<string>();
    const { server } = await serve({
      tokens,
      onRoute: ({ method, url }) => {
        for (const one of [method].flat()) if (one !== 'HEAD') found.add(`${one} ${url}`);
      },
    });
    expect([...found].sort()).toEqual(Object.keys(access).sort());
    // HEAD is GET without a body, so it is closed to the same.
    expect((await server.inject({ method: 'HEAD', url: '/portfolios' })).statusCode).toBe(401);
  });

  test.each(Object.entries(access))('%s is for %s', async (route, who) => {
    const { server } = await serve({ tokens });
    const [stranger, user, operator] = await Promise.all(
      [null, 'ann' as const, 'olga' as const].map((person) => ask(server, route, person)),
    );
    if (who === 'anybody') expect(stranger).toBeLessThan(400);
    else expect(stranger).toBe(401);
    if (who === 'operators') expect(user).toBe(403);
    else expect([401, 403]).not.toContain(user);
    expect([401, 403]).not.toContain(operator);
  });
});
