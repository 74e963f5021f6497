import { describe, expect, test } from 'vitest';
import { jobId, missingId, portfolioId } from '../fake-service.ts';
import { ask, serve } from '../serve.ts';
import { symbolStatus } from '../views.ts';

const paths = [
  '/',
  '/symbols/brk.b/status',
  '/symbols/status?symbols=BRK-B',
  '/symbols?query=B',
  '/symbols/AAPL',
  '/symbols/AAPL/prices',
  '/portfolios',
  `/portfolios/${portfolioId}`,
  `/portfolios/${portfolioId}/positions`,
  '/portfolios/template.csv',
  '/onboarding',
  '/onboarding/jobs',
  `/onboarding/jobs/${jobId}`,
  '/openapi.json',
];

describe('an answer', () => {
  test.each(paths)('of %s is 304 for whoever has it', async (path) => {
    const { url } = await serve();
    const first = await fetch(url + path);
    const etag = first.headers.get('etag')!;
    const body = await first.text();
    expect([first.status, first.headers.get('cache-control')]).toEqual([200, 'private, no-cache']);

    const again = await fetch(url + path, { headers: { 'if-none-match': `"other", ${etag}` } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect(again.headers.get('content-type')).toBeNull();
    for (const name of ['etag', 'cache-control', 'vary', 'x-market-data']) {
      expect([name, again.headers.get(name)]).toEqual([name, first.headers.get(name)]);
    }
    const other = await fetch(url + path, { headers: { 'if-none-match': '"other"' } });
    expect([other.status, await other.text()]).toEqual([200, body]);
  });

  test('to HEAD has the tag of GET, and is 304 too', async () => {
    const { url } = await serve();
    const etag = (await fetch(`${url}/onboarding`)).headers.get('etag')!;
    const head = await fetch(`${url}/onboarding`, { method: 'HEAD' });
    expect([head.status, head.headers.get('etag')]).toEqual([200, etag]);
    const again = await fetch(`${url}/onboarding`, { method: 'HEAD', headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
  });

  test.each([
    ['GET', `/portfolios/${missingId}`, 404],
    ['POST', '/onboarding/pause', 200],
    ['GET', '/health/live', 200],
  ])('to %s %s never is', async (method, path, status) => {
    const { url } = await serve();
    const answer = await fetch(url + path, { method, headers: { 'if-none-match': '*' } });
    expect([answer.status, answer.headers.get('etag')]).toEqual([status, null]);
  });

  test('for a ready symbol is made once for as long as it is remembered', async () => {
    const { url, fake } = await serve();
    const view = { ...symbolStatus, status: 'ready' as const, message: 'first' };
    fake.remembered = view;
    const first = await ask(`${url}/symbols/BRK-B/status`);
    expect(first.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(first.body.links.self).toBe('/symbols/BRK-B');
    fake.remembered = { ...view, message: 'second' };
    const second = await ask(`${url}/symbols/BRK-B/status`);
    expect(second.body).toEqual({ ...first.body, message: 'second' });
    expect(second.headers.get('etag')).not.toBe(first.headers.get('etag'));
    const preferring = await ask(`${url}/symbols/BRK-B/status`, { headers: { prefer: 'wait=9' } });
    expect([preferring.headers.get('preference-applied'), preferring.headers.get('vary')]).toEqual([
      'wait=9',
      'Prefer',
    ]);
    expect(fake.calls).toEqual([]);
  });

  test('for a ready symbol has the same headers as any other: 200, 304 and a problem', async () => {
    const { url, fake } = await serve({ rates: { requests: 100 } });
    const path = `${url}/symbols/BRK-B/status`;
    const headers = { 'x-request-id': 'mine' };
    const read = await fetch(path, { headers });
    fake.remembered = { ...symbolStatus, status: 'ready', message: 'ready' };
    const remembered = await fetch(path, { headers });
    const etag = remembered.headers.get('etag')!;
    const unchanged = await fetch(path, { headers: { ...headers, 'if-none-match': etag } });
    const refused = await fetch(path, { headers: { ...headers, accept: 'text/html' } });
    expect([remembered.status, unchanged.status, refused.status]).toEqual([200, 304, 406]);

    const named = (answer: Response) => [...answer.headers.keys()];
    const ofBody = ['content-length', 'content-type'];
    const ofState = ['cache-control', 'etag', 'vary'];
    expect(named(remembered)).toEqual(named(read));
    expect(named(unchanged)).toEqual(named(read).filter((name) => !ofBody.includes(name)));
    expect(named(refused)).toEqual(named(read).filter((name) => !ofState.includes(name)));
    const constant = ['content-security-policy', 'ratelimit-policy', 'x-market-data', 'x-request-id'];
    for (const name of [...constant, 'x-frame-options', 'x-content-type-options']) {
      const values = [read, remembered, unchanged, refused].map((answer) => answer.headers.get(name));
      expect([name, ...new Set(values)]).toEqual([name, expect.any(String)]);
    }
    const left = [read, remembered, unchanged, refused].map((answer) => answer.headers.get('ratelimit'));
    expect(left).toEqual([99, 98, 97, 96].map((r) => `"requests";r=${r};t=60`));
  });
});
