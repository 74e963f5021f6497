import { describe, expect, test } from 'vitest';
import type { OnboardAnswer } from '../../../src/contract/service.ts';
import { jobId } from '../fake-service.ts';
import { ask, serve } from '../serve.ts';
import { symbolStatus } from '../views.ts';

describe('symbol routes', () => {
  test('status keeps the four fields of the original and adds ours', async () => {
    const { url, fake } = await serve();
    const { status, body } = await ask(`${url}/symbols/brk.b/status`);
    expect(status).toBe(200);
    expect(body).toEqual({
      symbol: 'BRK-B',
      status: 'processing',
      message: 'Loading data...',
      estimated_seconds: 7,
      phase: 'factors',
      attempt: 1,
      progress: 0.2,
      quality: null,
      ready_at: null,
      job_id: jobId,
      links: {
        self: '/symbols/BRK-B',
        status: '/symbols/BRK-B/status',
        prices: '/symbols/BRK-B/prices',
        exposures: '/symbols/BRK-B/exposures',
        onboarding: '/symbols/BRK-B/onboarding',
        job: `/onboarding/jobs/${jobId}`,
      },
    });
    expect(fake.calls).toEqual([['brk.b']]);
  });

  test.each([
    ['%5EGSPC', '^GSPC'],
    ['EURUSD=X', 'EURUSD=X'],
    ['BRK%2FB', 'BRK/B'],
  ])('%s in a path is the symbol %s', async (path, symbol) => {
    const { url, fake } = await serve();
    const { body } = await ask(`${url}/symbols/${path}`);
    expect(fake.calls).toEqual([[symbol]]);
    expect(body.links.self).toBe('/symbols/%5EGSPC');
  });

  test('prices are exact strings, adjusted closes numbers', async () => {
    const { url, fake } = await serve();
    const { body } = await ask(`${url}/symbols/AAPL/prices?from=2026-01-01&to=2026-02-27`);
    expect(body.bars).toMatchObject([{ close: '239.65', adjusted_close: 239.64999389648438 }]);
    expect(fake.calls).toEqual([['AAPL', { from: '2026-01-01', to: '2026-02-27' }]]);
  });

  test('exposures can be asked for of a date', async () => {
    const { url, fake } = await serve();
    const { body } = await ask(`${url}/symbols/AAPL/exposures?date=2026-02-27`);
    expect(body).toMatchObject({ quality: 'full_history', exposures: [] });
    expect(fake.calls).toEqual([['AAPL', { date: '2026-02-27' }]]);
  });

  test.each(['', '/prices', '/exposures'])('%s of a symbol outside the universe is 404', async (path) => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/symbols/ZZZ${path}`);
    expect([status, body.code]).toEqual([404, 'symbol_unknown']);
  });

  test.each([
    'prices?from=yesterday',
    'prices?to=0000-12-31',
    'prices?since=2026-01-01',
    'exposures?date=2026-13-01',
  ])('/%s is refused', async (path) => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/symbols/AAPL/${path}`);
    expect([status, body.code]).toEqual([422, 'invalid_request']);
  });
});

describe('many symbols', () => {
  test('statuses come with links, for the symbols as they were written', async () => {
    const { url, fake } = await serve();
    const { body } = await ask(`${url}/symbols/status?symbols=brk.b,%5EGSPC`);
    expect(body.symbols).toMatchObject([{ symbol: 'BRK-B', links: { self: '/symbols/BRK-B' } }]);
    expect(fake.calls).toEqual([[['brk.b', '^GSPC']]]);
  });

  test('a search is passed on and paged', async () => {
    const { url, fake } = await serve();
    const { body } = await ask(`${url}/symbols?query=%20s%26p%20&limit=2&cursor=AAPL`);
    expect(body).toMatchObject({
      symbols: [{ symbol: '^GSPC', last_price: '6000.25', links: { self: '/symbols/%5EGSPC' } }],
      next_cursor: '^GSPC',
    });
    expect(fake.calls).toEqual([[{ query: 's&p', limit: 2, cursor: 'AAPL' }]]);
  });

  test.each([
    '/status',
    '/status?symbols=',
    '/status?symbols=A,,B',
    `/status?symbols=${Array(201).fill('A')}`,
    '?query=a%00b',
    `?query=${'x'.repeat(101)}`,
    '?cursor=a%00b',
    '?limit=501',
    '?name=Apple',
  ])('/symbols%.30s is refused', async (path) => {
    const { url, fake } = await serve();
    const { status, body } = await ask(`${url}/symbols${path}`);
    expect([status, body.code]).toEqual([422, 'invalid_request']);
    expect(fake.calls).toEqual([]);
  });

  test('two hundred statuses are not too many', async () => {
    const { url } = await serve();
    expect((await ask(`${url}/symbols/status?symbols=${Array(200).fill('A')}`)).status).toBe(200);
  });
});

describe('onboarding a symbol', () => {
  const post = (url: string, symbol = 'brk.b') =>
    ask(`${url}/symbols/${symbol}/onboarding`, { method: 'POST' });

  test('is 202 with the place of the job', async () => {
    const { url, fake } = await serve();
    const { status, headers, body } = await post(url);
    expect([status, headers.get('location')]).toEqual([202, `/onboarding/jobs/${jobId}`]);
    expect(body).toMatchObject({ symbol: 'BRK-B', links: { job: `/onboarding/jobs/${jobId}` } });
    expect(fake.calls).toEqual([['brk.b', { name: 'local', role: 'operator' }]]);
  });

  test('is 200 without a place where there is nothing to do', async () => {
    const { url, fake } = await serve();
    fake.onboarded = { kind: 'ready', view: { ...symbolStatus, status: 'ready' } };
    const { status, headers, body } = await post(url);
    expect([status, headers.get('location'), body.status]).toEqual([200, null, 'ready']);
  });

  const refusals: [OnboardAnswer, number, string][] = [
    [{ kind: 'invalid_symbols', symbols: [{ symbol: 'X', reason: 'gone' }] }, 422, 'invalid_symbols'],
    [{ kind: 'too_many_symbols', needed: 1, limit: 0 }, 422, 'too_many_symbols'],
    [{ kind: 'queue_full', depth: 50, limit: 50, needed: 1, retry_after_seconds: 9 }, 503, 'queue_full'],
    [
      { kind: 'unverifiable', symbols: [{ symbol: 'X', reason: 'timeout' }], retry_after_seconds: 9 },
      503,
      'symbols_unverifiable',
    ],
  ];
  test.each(refusals)('that is $kind is a problem', async (answer, status, code) => {
    const { url, fake } = await serve();
    fake.onboarded = answer;
    const reply = await post(url);
    expect(reply).toMatchObject({ status, body: { code } });
    expect(reply.headers.get('retry-after')).toBe(status === 503 ? '9' : null);
  });
});
