import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import YahooFinance from 'yahoo-finance2';
import { ExtendedCookieJar } from 'yahoo-finance2/lib/cookieJar';
import { yahooFetch } from '../../src/market/yahoo.fetch.ts';
import { type YahooProviderOptions, yahooProvider } from '../../src/market/yahoo.provider.ts';
import {
  type StandinOptions,
  type StandinYahoo,
  startStandinYahoo,
} from '../support/standin-yahoo/server.ts';

// Friday 2026-07-31, 18:00 in New York: the session is complete.
const now = Date.parse('2026-07-31T22:00:00Z');
/** Stands at `now`, but deadlines pass in real time. */
const impatient = {
  now: () => now,
  sleepUntil: (until: number, signal?: AbortSignal) => setTimeout(until - now, undefined, { signal }),
};
/** Deadlines that never pass. */
const patient = {
  now: () => now,
  sleepUntil: (_: number, signal?: AbortSignal) =>
    new Promise<void>((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
    }),
};
const year = { from: '2025-07-31', to: '2026-07-31' };
const running: StandinYahoo[] = [];

async function started(options: StandinOptions = {}, more: Partial<YahooProviderOptions> = {}) {
  const yahoo = await startStandinYahoo({ seed: 1, now: () => now, ...options });
  running.push(yahoo);
  return { yahoo, provider: yahooProvider({ clock: patient, baseUrl: yahoo.url, ...more }) };
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((yahoo) => yahoo.close()));
});

const paths = (yahoo: StandinYahoo) =>
  yahoo.requests().map(({ host, path }) => `${host}${decodeURIComponent(path).split('?')[0]}`);

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
      spy.mockRestore();
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

describe('failures, classified where they arise', () => {
  test.each([
    ['500', 'provider_unavailable', true],
    ['html', 'provider_unavailable', true],
    ['cut', 'provider_unavailable', true],
    ['401', 'provider_unavailable', true],
    ['404', 'symbol_not_found', false],
    ['empty', 'no_price_data', false],
  ] as const)('%s is %s', async (kind, code, retryable) => {
    const { provider } = await started({ faults: [{ match: '/chart/', kind }] });
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      name: 'AppError',
      code,
      retryable,
    });
  });

  test.each([
    ['120', now + 120_000],
    ['Fri, 31 Jul 2026 22:05:00 GMT', now + 300_000],
    ['Fri, 31 Jul 2026 21:00:00 GMT', now],
    ['soon', now + 60_000],
    [undefined, now + 60_000],
  ])('429 with Retry-After %s waits until %d', async (retryAfter, retryAt) => {
    const fault = { match: '/chart/', kind: '429', ...(retryAfter && { retryAfter }) } as const;
    const { provider } = await started({ faults: [fault] });
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      code: 'provider_throttled',
      retryable: true,
      retryAt,
    });
  });

  test.each(['timeout', 'slow'] as const)('the deadline ends an answer that is %s', async (kind) => {
    const { provider } = await started(
      { faults: [{ match: '/chart/', kind }] },
      { clock: impatient, deadlineMs: 50 },
    );
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      code: 'provider_timeout',
      retryable: true,
      message: 'Yahoo Finance did not answer in time (50 ms)',
    });
  });

  test('a range before the first trade is no price data', async () => {
    const { provider } = await started();
    const early = { from: '2020-01-01', to: '2020-12-31' };
    await expect(provider.history({ symbol: 'AAPL', ...early })).rejects.toMatchObject({
      code: 'no_price_data',
    });
  });

  test('a server that is not there is unavailable, with the cause for the log', async () => {
    const { yahoo, provider } = await started();
    await yahoo.close();
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: 'Yahoo Finance could not be reached',
      cause: expect.any(Error),
    });
  });

  test.each(['null', '[]', '{}', '{"chart":null}', '{"chart":{"result":null}}', '{"chart":{"result":[]}}'])(
    'an answer of %s is an outage, not data',
    async (body) => {
      const recordings = [{ path: '/v8/finance/chart/AAPL', status: 200, bodyJson: JSON.parse(body) }];
      const { provider } = await started({ recordings });
      await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
        code: 'provider_unavailable',
        retryable: true,
      });
    },
  );

  test.each([
    [302, 'a redirect'],
    [403, 'a wall'],
    [404, 'a 404 that is not in Yahoo’s words'],
  ])('%d, %s, is an outage, not a verdict on the symbol', async (status) => {
    const recordings = [{ path: '/v8/finance/chart/AAPL', status, bodyJson: 'elsewhere' }];
    const { provider } = await started({ recordings });
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      code: 'provider_unavailable',
      details: { status },
    });
  });

  test('a redirect to a host that is not Yahoo’s is not followed', async () => {
    const fetch = yahooFetch({ clock: patient });
    for (const url of [
      'https://example.com/quote/AAPL',
      'http://finance.yahoo.com/',
      'https://yahoo.com.example/',
    ]) {
      await expect(fetch(url)).rejects.toMatchObject({ code: 'provider_unavailable', retryable: true });
    }
  });
});

describe('the limiter', () => {
  test('never has more requests in flight than it may, and starts the next when a body ends', async () => {
    let inFlight = 0;
    let most = 0;
    const { provider } = await started({}, { concurrency: 2 });
    const real = globalThis.fetch;
    const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (...args) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      const response = await real(...args);
      const body = await response.text();
      inFlight -= 1;
      return new Response(body, response);
    });
    const symbols = ['AAPL', 'MSFT', 'SPY', 'TLT', 'IWM', 'QUAL', 'VOD.L'];
    await Promise.all(symbols.map((symbol) => provider.history({ symbol, ...year })));
    spy.mockRestore();
    expect(most).toBe(2);
  });

  test('a request that waits for its turn is given up at once when its job is cancelled', async () => {
    const met = Promise.withResolvers<unknown>();
    const faults = [{ match: 'SLOW', kind: 'timeout' as const }];
    const { yahoo, provider } = await started({ faults, onFault: met.resolve }, { concurrency: 1 });
    const reason = new Error('cancelled');
    const slow = new AbortController();
    const queued = new AbortController();
    const first = provider.history({ symbol: 'SLOW', ...year, signal: slow.signal });
    const second = provider.history({ symbol: 'AAPL', ...year, signal: queued.signal });
    const third = provider.history({ symbol: 'MSFT', ...year });
    await met.promise;
    queued.abort(reason);
    await expect(second).rejects.toBe(reason);
    slow.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect((await third).bars).toHaveLength(262);
    expect(paths(yahoo).map((path) => path.split('/').at(-1))).toEqual(['SLOW', 'MSFT']);
  });

  test('the time in the queue is not on the deadline', async () => {
    const starts: number[] = [];
    const counting = {
      now: () => now,
      sleepUntil: (until: number, signal?: AbortSignal) => {
        starts.push(until - now);
        return patient.sleepUntil(until, signal);
      },
    };
    const met = Promise.withResolvers<unknown>();
    const { provider } = await started(
      { faults: [{ match: 'SLOW', kind: 'timeout' }], onFault: met.resolve },
      { concurrency: 1, clock: counting, deadlineMs: 5000 },
    );
    const slow = new AbortController();
    const first = provider.history({ symbol: 'SLOW', ...year, signal: slow.signal });
    const second = provider.history({ symbol: 'AAPL', ...year });
    await met.promise;
    expect(starts).toEqual([5000]); // only the request that is under way has a deadline
    slow.abort();
    await expect(first).rejects.toThrow();
    await second;
    expect(starts).toEqual([5000, 5000]);
  });

  test('one caller’s cancellation does not end the crumb that others wait for', async () => {
    const { provider } = await started();
    const controller = new AbortController();
    const first = provider.lookup(['AAPL'], { signal: controller.signal });
    const second = provider.lookup(['MSFT']);
    controller.abort(new Error('cancelled'));
    await expect(first).rejects.toThrow('cancelled');
    expect(await second).toMatchObject([{ verdict: 'valid' }]);
  });

  test('keeps the interval between two starts', async () => {
    const { provider } = await started({}, { intervalMs: 40, concurrency: 4 });
    const starts: number[] = [];
    const real = globalThis.fetch;
    const spy = vi.spyOn(globalThis, 'fetch').mockImplementation((...args) => {
      starts.push(performance.now());
      return real(...args);
    });
    await Promise.all(['AAPL', 'MSFT', 'SPY'].map((symbol) => provider.history({ symbol, ...year })));
    spy.mockRestore();
    const gaps = starts.slice(1).map((start, index) => start - starts[index]!);
    expect(gaps.every((gap) => gap > 30)).toBe(true);
  });
});
