import { afterEach, describe, expect, test, vi } from 'vitest';
import YahooFinance from 'yahoo-finance2';
import { ExtendedCookieJar } from 'yahoo-finance2/lib/cookieJar';
import { yahooFetch } from '../../src/market/yahoo.fetch.ts';
import { now, paths, patient, started, stopAll, year } from '../support/standin-yahoo/fixture.ts';

afterEach(stopAll);
afterEach(() => {
  vi.restoreAllMocks();
});

describe('requests to Yahoo', () => {
  test('a history is one request, without cookies or crumb, for a year in the exchange’s days', async () => {
    const { yahoo, provider } = await started();
    await provider.history({ symbol: 'AAPL', ...year });
    const [request, ...others] = yahoo.requests();
    expect(others).toEqual([]);
    expect(request).toMatchObject({ method: 'GET', host: 'query2.finance.yahoo.com', status: 200 });
    const query = new URL(request!.path, yahoo.url).searchParams;
    expect(query.get('interval')).toBe('1d');
    expect(Number(query.get('period1'))).toBeLessThanOrEqual(Date.parse('2025-07-31') / 1000);
    expect(Number(query.get('period2'))).toBeGreaterThanOrEqual(Date.parse('2026-08-01') / 1000);
  });

  test('a lookup asks for 99 symbols at a time, after one cookie and one crumb', async () => {
    const { yahoo, provider } = await started();
    await provider.lookup(Array.from({ length: 200 }, (_, index) => `S${index}`));
    await provider.lookup(['AAPL']);
    const quotes = yahoo.requests().filter(({ path }) => path.startsWith('/v7/finance/quote'));
    const sizes = quotes.map(
      ({ path }) => new URL(path, yahoo.url).searchParams.get('symbols')!.split(',').length,
    );
    expect(sizes).toEqual([99, 99, 2, 1]);
    expect(paths(yahoo).slice(0, 2)).toEqual([
      'finance.yahoo.com/quote/AAPL',
      'query1.finance.yahoo.com/v1/test/getcrumb',
    ]);
    expect(yahoo.requests()).toHaveLength(6);
  });

  test('symbols are encoded, and malformed ones never sent', async () => {
    const { yahoo, provider } = await started();
    await provider.history({ symbol: '^GSPC', ...year });
    await provider.history({ symbol: 'M&M.NS', ...year });
    await provider.history({ symbol: 'EURUSD=X', ...year });
    const sent = yahoo.requests().map(({ path }) => path.split('?')[0]);
    expect(sent).toEqual([
      '/v8/finance/chart/%5EGSPC',
      '/v8/finance/chart/M%26M.NS',
      '/v8/finance/chart/EURUSD%3DX',
    ]);
    yahoo.forget();
    await provider.lookup(['A/B', 'A,B', '../../v1/test', 'É', '', 'aapl']);
    expect(yahoo.requests()).toEqual([]);
  });

  test('consent is given where Yahoo asks for it, hop by hop', async () => {
    const { yahoo, provider } = await started({ consent: true });
    expect(await provider.lookup(['AAPL'])).toMatchObject([{ verdict: 'valid' }]);
    expect(yahoo.requests().map(({ method, host }) => `${method} ${host}`)).toEqual([
      'GET finance.yahoo.com',
      'GET guce.yahoo.com',
      'GET consent.yahoo.com',
      'POST consent.yahoo.com',
      'GET guce.yahoo.com',
      'GET finance.yahoo.com',
      'GET query1.finance.yahoo.com',
      'GET query2.finance.yahoo.com',
    ]);
  });

  test('nothing is printed, whatever happens', async () => {
    const spies = (['log', 'info', 'warn', 'error', 'debug', 'dir'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => {}),
    );
    const { yahoo, provider } = await started();
    for (const kind of ['429', '500', 'html', '404', 'empty', 'cut', '401'] as const) {
      yahoo.setFaults([{ match: 'AAPL', kind }]);
      await provider.history({ symbol: 'AAPL', ...year }).catch(() => {});
      await provider.lookup(['AAPL']);
    }
    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled();
    }
  });

  test('the library itself accepts what the stand-in answers', async () => {
    const { yahoo } = await started();
    const library = new YahooFinance({
      fetch: yahooFetch({ clock: patient, baseUrl: yahoo.url }),
      cookieJar: new ExtendedCookieJar(),
      suppressNotices: ['yahooSurvey'],
      versionCheck: false,
    });
    const quotes = await library.quote(['AAPL', 'BTC-USD', 'SPY', '^GSPC', 'NOPE']);
    expect(quotes.map(({ symbol }) => symbol)).toEqual(['AAPL', 'BTC-USD', 'SPY', '^GSPC']);
    const chart = await library.chart('SPLIT', {
      period1: '2025-07-31',
      period2: '2026-08-01',
      interval: '1d',
    });
    expect(chart.quotes).toHaveLength(262);
    expect(chart.events?.splits).toMatchObject([{ numerator: 10, denominator: 1 }]);
  });
});

describe('verdicts', () => {
  test('a symbol that the quote leaves out is looked up in the chart', async () => {
    const { yahoo, provider } = await started({ faults: [{ match: '/quote\\?', kind: 'empty' }] });
    expect(await provider.lookup(['AAPL', 'NOPE'])).toMatchObject([
      { verdict: 'valid', instrument: { symbol: 'AAPL', currency: 'USD', sessionEnd: '16:00' } },
      { verdict: 'invalid', reason: 'Yahoo Finance knows no symbol NOPE' },
    ]);
    expect(paths(yahoo).slice(3).sort()).toEqual([
      'query2.finance.yahoo.com/v8/finance/chart/AAPL',
      'query2.finance.yahoo.com/v8/finance/chart/NOPE',
    ]);
  });

  test('a symbol without a single price is invalid, and says so', async () => {
    const { provider } = await started({ faults: [{ match: 'MSFT', kind: 'empty' }] });
    expect(await provider.lookup(['MSFT'])).toEqual([
      { symbol: 'MSFT', verdict: 'invalid', reason: 'Yahoo Finance has no prices of MSFT in the past year' },
    ]);
  });

  test('an outage of the chart leaves the doubtful symbol unverifiable, and the others valid', async () => {
    const { provider } = await started({ faults: [{ match: '/chart/', kind: '500' }] });
    expect(await provider.lookup(['AAPL', 'NOPE'])).toMatchObject([
      { verdict: 'valid' },
      { verdict: 'unverifiable', reason: 'Yahoo Finance answered with status 500' },
    ]);
  });

  test('a crumb that is throttled or is none makes no symbol invalid', async () => {
    const { yahoo, provider } = await started();
    yahoo.setFaults([{ match: 'getcrumb', kind: '429', retryAfter: 120 }]);
    expect(await provider.lookup(['AAPL'])).toMatchObject([
      { verdict: 'unverifiable', retryAt: now + 120_000 },
    ]);
    yahoo.setFaults([{ match: 'getcrumb', kind: 'html', count: 1 }]);
    expect(await provider.lookup(['AAPL'])).toMatchObject([{ verdict: 'unverifiable' }]);
    expect(await provider.lookup(['AAPL'])).toMatchObject([{ verdict: 'valid' }]);
  });

  test('a rotated crumb is fetched anew, once for all who met it', async () => {
    const { yahoo, provider } = await started();
    await provider.lookup(['AAPL']);
    yahoo.rotateCrumb();
    yahoo.forget();
    const verdicts = await Promise.all([provider.lookup(['MSFT']), provider.lookup(['SPY'])]);
    expect(verdicts.flat()).toMatchObject([{ verdict: 'valid' }, { verdict: 'valid' }]);
    expect(paths(yahoo).filter((path) => path.includes('getcrumb'))).toHaveLength(1);
  });

  test('a crumb that is refused twice is an outage', async () => {
    const { yahoo, provider } = await started({ faults: [{ match: '/v7/', kind: '401' }] });
    expect(await provider.lookup(['AAPL'])).toMatchObject([{ verdict: 'unverifiable' }]);
    expect(paths(yahoo).filter((path) => path.includes('/v7/'))).toHaveLength(2);
  });
});
