import { afterEach, describe, expect, test, vi } from 'vitest';
import YahooFinance from 'yahoo-finance2';
import { ExtendedCookieJar } from 'yahoo-finance2/lib/cookieJar';
import { providerGate } from '../../../src/market/provider-gate.client.ts';
import { yahooFetch } from '../../../src/market/yahoo/yahoo.fetch.ts';
import { paths, patient, started, stopAll, year } from '../../support/standin-yahoo/fixture.ts';

const slowGate = providerGate({ clock: patient, intervalMs: 110 });

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

  test('a lookup of many asks for 99 symbols at a time, after one cookie and one crumb', async () => {
    const { yahoo, provider } = await started();
    await provider.lookup(Array.from({ length: 200 }, (_, index) => `S${index}`));
    await provider.lookup(Array.from({ length: 51 }, (_, index) => `T${index}`));
    const quotes = yahoo.requests().filter(({ path }) => path.startsWith('/v7/finance/quote'));
    const sizes = quotes.map(
      ({ path }) => new URL(path, yahoo.url).searchParams.get('symbols')!.split(',').length,
    );
    expect(sizes).toEqual([99, 99, 2, 51]);
    expect(paths(yahoo).slice(0, 2)).toEqual([
      'finance.yahoo.com/quote/AAPL',
      'query1.finance.yahoo.com/v1/test/getcrumb',
    ]);
    expect(yahoo.requests()).toHaveLength(6);
  });

  test('a lookup of few asks for their charts, which the histories that follow need not ask for again', async () => {
    const { yahoo, provider } = await started();
    const symbols = Array.from({ length: 50 }, (_, index) => `S${index}`);
    expect((await provider.lookup(symbols)).every(({ verdict }) => verdict === 'valid')).toBe(true);
    for (const symbol of symbols.slice(0, 5))
      expect((await provider.history({ symbol, ...year })).bars).toHaveLength(262);
    expect(paths(yahoo).sort()).toEqual(
      symbols.map((symbol) => `query2.finance.yahoo.com/v8/finance/chart/${symbol}`).sort(),
    );
    await provider.history({ symbol: 'S1', ...year }); // handed out once
    expect(yahoo.requests()).toHaveLength(51);
  });

  test('a chart reaches back as far as its job will want to know of splits', async () => {
    const { yahoo, provider } = await started();
    const since = new Map([['AAPL', '2024-02-01']]);
    await provider.lookup(['AAPL', 'MSFT'], { since });
    for (const [symbol, actionsFrom] of [
      ['AAPL', '2024-02-01'],
      ['MSFT', '2025-07-31'],
    ] as const) {
      const { bars } = await provider.history({ symbol, ...year, actionsFrom });
      expect(bars[0]?.date).toBe('2025-07-31');
    }
    expect(yahoo.counts()).toMatchObject({ total: 2, charts: { AAPL: 1, MSFT: 1 } });
  });

  test('a lookup of few asks for quotes where a chart each would take the limiter too long', async () => {
    const { yahoo, provider } = await started({}, { gate: slowGate });
    await provider.lookup(Array.from({ length: 46 }, (_, index) => `S${index}`));
    expect(paths(yahoo).at(-1)).toBe('query2.finance.yahoo.com/v7/finance/quote');
  });

  test('a chart that came before the session was complete is asked for again after it', async () => {
    const clock = { ...patient, now: () => at };
    let at = Date.parse('2026-07-31T20:29:59Z');
    const { yahoo, provider } = await started({ now: () => at }, { clock });
    await provider.lookup(['AAPL', 'MSFT']);
    const before = await provider.history({ symbol: 'MSFT', ...year });
    at = Date.parse('2026-07-31T20:30:00Z');
    const after = await provider.history({ symbol: 'AAPL', ...year });
    expect([before.bars.at(-1)?.date, after.bars.at(-1)?.date]).toEqual(['2026-07-30', '2026-07-31']);
    expect(yahoo.requests()).toHaveLength(3);
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
    const { yahoo, provider } = await started({ consent: true }, { chartsMax: 0 });
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
      fetch: yahooFetch({ clock: patient, gate: providerGate({ clock: patient }), baseUrl: yahoo.url }),
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
    const faults = [{ match: '/quote\\?', kind: 'empty' as const }];
    const { yahoo, provider } = await started({ faults }, { chartsMax: 0 });
    expect(await provider.lookup(['AAPL', 'NOPE'])).toMatchObject([
      { verdict: 'valid', instrument: { symbol: 'AAPL', currency: 'USD', sessionEnd: '16:00' } },
      { verdict: 'invalid', reason: 'Yahoo Finance has no symbol NOPE' },
    ]);
    expect(new Set(paths(yahoo).slice(3))).toEqual(
      new Set(['AAPL', 'NOPE'].map((symbol) => `query2.finance.yahoo.com/v8/finance/chart/${symbol}`)),
    );
  });

  test('a symbol without a single price exists: its job says what is wrong with it', async () => {
    const { provider } = await started({ faults: [{ match: 'MSFT', kind: 'empty' }] });
    expect(await provider.lookup(['MSFT'])).toMatchObject([
      { verdict: 'valid', instrument: { symbol: 'MSFT', currency: 'USD' } },
    ]);
    await expect(provider.history({ symbol: 'MSFT', ...year })).rejects.toMatchObject({
      code: 'no_price_data',
    });
  });

  test('an outage of the chart leaves the doubtful symbol unverifiable, and the others valid', async () => {
    const { provider } = await started({ faults: [{ match: '/chart/', kind: '500' }] }, { chartsMax: 0 });
    expect(await provider.lookup(['AAPL', 'NOPE'])).toMatchObject([
      { verdict: 'valid' },
      { verdict: 'unverifiable', reason: 'Yahoo Finance answered with status 500' },
    ]);
  });

  test.each(['429', '500', 'html', 'cut', '401', 'timeout'] as const)(
    'a provider that answers %s calls no symbol invalid, and none that does not exist valid',
    async (kind) => {
      const impatient = {
        ...patient,
        sleepUntil: () => new Promise<void>((resolve) => setImmediate(resolve)),
      };
      const clock = kind === 'timeout' ? impatient : patient;
      const { provider } = await started({ faults: [{ match: '.', kind }] }, { clock });
      const verdicts = await provider.lookup(['AAPL', 'NOPE', 'MSFT']);
      expect(verdicts.map(({ verdict }) => verdict)).toEqual(Array(3).fill('unverifiable'));
    },
  );

  test('"not found" is believed only from whoever knows the canary, asked on the same path', async () => {
    const { yahoo, provider } = await started({ faults: [{ match: '/chart/', kind: '404' }] });
    expect(await provider.lookup(['AAPL', 'NOPE'])).toMatchObject([
      { verdict: 'unverifiable', reason: 'Yahoo Finance does not know SPY' },
      { verdict: 'unverifiable' },
    ]);
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      code: 'provider_unavailable',
      retryable: true,
    });
    const canaries = () => paths(yahoo).filter((path) => path.endsWith('/SPY'));
    expect(canaries()).toHaveLength(1); // shared by the two, and not asked again at once
    yahoo.setFaults([]);
    expect(await provider.lookup(['AAPL', 'NOPE'])).toMatchObject([
      { verdict: 'valid' },
      { verdict: 'invalid' },
    ]);
    await expect(provider.history({ symbol: 'NOPE', ...year })).rejects.toMatchObject({
      code: 'symbol_not_found',
    });
    expect(canaries().length).toBeLessThanOrEqual(2); // the prices of AAPL are as good
  });

  test('without quotes, because the crumb is throttled or is none, the charts decide', async () => {
    const { yahoo, provider } = await started({}, { chartsMax: 0 });
    for (const kind of ['429', 'html'] as const) {
      yahoo.setFaults([{ match: 'getcrumb', kind, retryAfter: 120 }]);
      expect(await provider.lookup(['AAPL', 'NOPE'])).toMatchObject([
        { verdict: 'valid' },
        { verdict: 'invalid' },
      ]);
    }
  });

  test('a rotated crumb is fetched anew, once for all who met it', async () => {
    const { yahoo, provider } = await started({}, { chartsMax: 0 });
    await provider.lookup(['AAPL']);
    yahoo.rotateCrumb();
    yahoo.forget();
    const verdicts = await Promise.all([provider.lookup(['MSFT']), provider.lookup(['SPY'])]);
    expect(verdicts.flat()).toMatchObject([{ verdict: 'valid' }, { verdict: 'valid' }]);
    expect(paths(yahoo).filter((path) => path.includes('getcrumb'))).toHaveLength(1);
    expect(paths(yahoo).filter((path) => path.includes('/chart/'))).toEqual([]);
  });

  test('a crumb that is refused twice is not asked for a third time', async () => {
    const { yahoo, provider } = await started({ faults: [{ match: '/v7/', kind: '401' }] }, { chartsMax: 0 });
    expect(await provider.lookup(['AAPL'])).toMatchObject([{ verdict: 'valid' }]);
    expect(paths(yahoo).filter((path) => path.includes('/v7/'))).toHaveLength(2);
  });
});
