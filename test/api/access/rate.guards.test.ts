import { describe, expect, test } from 'vitest';
import { credentials, type Person } from '../../support/tokens.ts';
import { ask, now, serve, tokens } from '../serve.ts';

const rates = { requests: 3, uploads: 2, failures: 2 };

/** A server whose time a test can move. */
async function limited(options: Parameters<typeof serve>[0] = {}) {
  let time = now;
  const clock = { now: () => time, sleepUntil: async () => {} };
  const served = await serve({ rates, clock, ...options });
  const get = (path: string, person: Person | null = null, headers: Record<string, string> = {}) =>
    ask(served.url + path, { headers: { ...credentials(person), ...headers } });
  const pass = (seconds: number) => {
    time += seconds * 1000;
  };
  return { ...served, get, pass };
}

describe('a rate limit', () => {
  test('is told with each answer, and one request too many is 429 until its minute is over', async () => {
    const { get, pass } = await limited();
    const first = await get('/onboarding');
    expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=3;w=60');
    expect(first.headers.get('ratelimit')).toBe('"requests";r=2;t=60');
    pass(20);
    await get('/onboarding');
    expect((await get('/nowhere')).headers.get('ratelimit')).toBe('"requests";r=0;t=40');
    const { status, headers, body } = await get('/onboarding');
    expect([status, headers.get('retry-after')]).toEqual([429, '40']);
    expect(body).toMatchObject({ code: 'rate_limited', limit: 3, retry_after_seconds: 40 });
    expect((await get('/nowhere')).status).toBe(429);
    pass(40);
    expect((await get('/onboarding')).status).toBe(200);
  });

  test('is each token’s own, whatever its address', async () => {
    const { get } = await limited({ tokens });
    for (let n = 0; n < 3; n += 1) expect((await get('/onboarding', 'ann')).status).toBe(200);
    expect((await get('/onboarding', 'ann')).status).toBe(429);
    expect((await get('/onboarding', 'bob')).status).toBe(200);
    expect((await get('/')).status).toBe(200); // a stranger’s, by address
  });

  test('of uploads is a smaller one of its own', async () => {
    const { url, get } = await limited();
    const post = () => ask(`${url}/symbols/AAPL/onboarding`, { method: 'POST' });
    expect((await post()).headers.get('ratelimit')).toBe('"uploads";r=1;t=60');
    expect((await ask(`${url}/tickets`, { method: 'POST' })).status).toBe(201);
    expect((await post()).status).toBe(429);
    expect((await get('/onboarding')).status).toBe(200);
  });

  test('is not for the health of the service', async () => {
    const { get } = await limited();
    for (let n = 0; n < 10; n += 1) {
      const { status, headers } = await get('/health/live');
      expect([status, headers.get('ratelimit')]).toEqual([200, null]);
    }
  });

  test('of 0 is none', async () => {
    const { get } = await limited({ rates: { requests: 0 } });
    for (let n = 0; n < 10; n += 1) expect((await get('/onboarding')).status).toBe(200);
  });

  test('takes a proxy’s word for the client, if the proxy is trusted', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const trusting = await limited({ trustProxy: ['loopback'] });
    for (let n = 0; n < 3; n += 1) await trusting.get('/', null, from('192.0.2.1'));
    expect((await trusting.get('/', null, from('192.0.2.1'))).status).toBe(429);
    expect((await trusting.get('/', null, from('192.0.2.2'))).status).toBe(200);
    const alone = await limited();
    for (let n = 0; n < 3; n += 1) await alone.get('/', null, from(`192.0.2.${n}`));
    expect((await alone.get('/', null, from('192.0.2.9'))).status).toBe(429);
  });
});

describe('guessing tokens', () => {
  const guess = { authorization: 'Bearer guess' };

  test('is slow: after some wrong ones the right one does not help either, for a minute', async () => {
    const { get, pass } = await limited({ tokens, rates: { failures: 2 } });
    expect((await get('/onboarding', null, guess)).status).toBe(401);
    expect((await get('/onboarding', null, guess)).status).toBe(401);
    const { status, headers } = await get('/onboarding', 'ann');
    expect([status, headers.get('retry-after')]).toEqual([429, '60']);
    expect((await get('/health/ready')).status).toBe(200);
    pass(60);
    expect((await get('/onboarding', 'ann')).status).toBe(200);
  });

  test('is not what somebody does who has no token at all', async () => {
    const { get } = await limited({ tokens, rates: { failures: 2, requests: 100 } });
    for (let n = 0; n < 5; n += 1) expect((await get('/onboarding')).status).toBe(401);
    expect((await get('/onboarding', 'ann')).status).toBe(200);
  });
});
