import { describe, expect, test } from 'vitest';
import { jobId } from './fake-service.ts';
import { ask, serve } from './serve.ts';

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
