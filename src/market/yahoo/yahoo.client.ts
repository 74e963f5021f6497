import YahooFinance from 'yahoo-finance2';
import { ExtendedCookieJar } from 'yahoo-finance2/lib/cookieJar';
import { AppError } from '../../kernel/errors.ts';
import { failures } from '../provider-failures.ts';
import { addDays, type DateRange } from '../sessions.ts';
import { type YahooFetchOptions, yahooFetch } from './yahoo.fetch.ts';
import { isCrumbRefused } from './yahoo-answers.ts';
import { readChart, type YahooChart } from './yahoo-chart.ts';

/** The two calls of yahoo-finance2 that we need; both end with the caller's signal and fail with `AppError`s only. */
export interface YahooClient {
  /** What `quote()` answers, as it came; needs cookies and a crumb, which are renewed when Yahoo refuses them. */
  quotes(symbols: string[], signal?: AbortSignal): Promise<unknown>;
  /** Daily bars, splits and dividends of a range and a day on either side of it, dated in UTC. */
  chart(symbol: string, range: DateRange & { signal?: AbortSignal | undefined }): Promise<YahooChart>;
}

/** yahoo-finance2 on our own fetch, silenced, with a cookie jar of its own. */
export function yahooClient(options: YahooFetchOptions): YahooClient {
  const fetch = yahooFetch(options);
  let library = newLibrary(fetch);

  async function renewing<T>(call: (from: typeof library) => Promise<T>): Promise<T> {
    const asked = library;
    try {
      return await call(asked);
    } catch (error) {
      if (!isCrumbRefused(error)) throw error;
      // The library keeps a crumb for ever, though Yahoo rotates them. A new instance has a jar of its own; calls
      // under way finish with the old one, and whoever comes second finds it already renewed.
      if (library === asked) library = newLibrary(fetch);
      return call(library);
    }
  }

  return {
    quotes: (symbols, signal) =>
      guarded(signal, () => renewing((from) => from.quote(symbols, {}, moduleOptions(signal)))),
    chart: (symbol, { from, to, signal }) =>
      guarded(signal, async () => {
        const path = encodeURIComponent(symbol); // the library would let `?` and `#` through
        const range = { period1: new Date(addDays(from, -1)), period2: new Date(addDays(to, 2)) };
        const query = { ...range, interval: '1d', events: 'div|split', return: 'object' } as const;
        return readChart(await library.chart(path, query, moduleOptions(signal)));
      }),
  };
}

function newLibrary(fetch: typeof globalThis.fetch): InstanceType<typeof YahooFinance> {
  const silent = (): void => {};
  return new YahooFinance({
    fetch,
    cookieJar: new ExtendedCookieJar(),
    queue: { concurrency: 1_000_000 }, // the limiter of yahoo.fetch.ts rules
    logger: { info: silent, warn: silent, error: silent, debug: silent, dir: silent },
    validation: { logErrors: false, logOptionsErrors: false },
    suppressNotices: ['yahooSurvey'],
    versionCheck: false,
  });
}

/** Results are checked by our own schemas: the library's refuse real answers, such as a currency that is null. */
const moduleOptions = (signal: AbortSignal | undefined) =>
  ({ validateResult: false, ...(signal && { fetchOptions: { signal } }) }) as const;

/** Ends with the caller's signal, and fails with `AppError`s only. */
export async function guarded<T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([call(), aborted.promise]);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof AppError) throw error;
    throw failures.unavailable({ provider: 'yahoo', what: 'answered in an unknown way', cause: error });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
