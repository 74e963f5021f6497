import { describe, expect, test } from 'vitest';
import { credentials } from '../../support/tokens.ts';
import { ask, serve, tokens } from '../serve.ts';

const page = 'https://app.example';
const evil = 'https://app.example.evil';
const preflight = (origin: string) => ({
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  },
});

describe('a page of another origin', () => {
  test('gets no permission by default', async () => {
    const { url } = await serve({ tokens });
    const { status, headers } = await ask(`${url}/portfolios`, preflight(page));
    expect(status).toBe(401);
    const answer = await ask(url, { headers: { origin: page } });
    for (const sent of [headers, answer.headers]) {
      expect([...sent.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  test('may call when it is named, without cookies, and reads the headers it needs', async () => {
    const { url, fake } = await serve({ tokens, corsOrigins: [page] });
    const asked = await ask(`${url}/portfolios`, preflight(page));
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe(page);
    expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(asked.headers.has('access-control-allow-credentials')).toBe(false);
    const posted = await ask(`${url}/portfolios`, {
      method: 'POST',
      headers: { ...credentials('ann'), origin: page, 'content-type': 'text/csv' },
      body: 'x',
    });
    expect(posted.status).toBe(202);
    expect(fake.uploads).toMatchObject([{ owner: 'ann' }]);
    for (const name of [
      'location',
      'ratelimit',
      'retry-after',
      'etag',
      'x-request-id',
      'idempotency-replayed',
    ]) {
      expect(posted.headers.get('access-control-expose-headers')).toContain(name);
    }
    const refused = await ask(`${url}/portfolios`, { headers: { origin: page } });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, page]);
  });

  test('may not when only a part of its name is', async () => {
    const { url, fake } = await serve({ tokens, corsOrigins: [page] });
    const asked = await ask(`${url}/portfolios`, preflight(evil));
    expect([asked.status, asked.body.code]).toEqual([401, 'unauthenticated']);
    expect(asked.headers.has('access-control-allow-origin')).toBe(false);
    const posted = await ask(`${url}/portfolios`, {
      method: 'POST',
      headers: { ...credentials('ann'), origin: evil, 'content-type': 'text/csv' },
      body: 'x',
    });
    expect([posted.status, fake.uploads]).toEqual([403, []]);
  });

  test('does not change what a path takes', async () => {
    const { url } = await serve({ corsOrigins: [page] });
    const known = await ask(`${url}/onboarding`, { method: 'OPTIONS' });
    expect([known.status, known.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await ask(`${url}/nowhere`, { method: 'OPTIONS' })).status).toBe(404);
  });
});
