import { describe, expect, test } from 'vitest';
import { jobId, missingId, portfolioId } from './fake-service.ts';
import { ask, serve } from './serve.ts';
import { symbolStatus } from './views.ts';

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
});
