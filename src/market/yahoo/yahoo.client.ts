import YahooFinance from 'yahoo-finance2';
import { ExtendedCookieJar } from 'yahoo-finance2/lib/cookieJar';
import { AppError } from '../../kernel/errors.ts';
import { failures } from '../provider-failures.ts';
import { addDays, type DateRange } from '../sessions.ts';
import { type YahooFetchOptions, yahooFetch } from './yahoo.fetch.ts';
import { isCrumbRefused } from './yahoo-answers.ts';
import { readChart, type YahooChart } from './yahoo-chart.ts';

/** The two calls of yahoo-finance2 that we use. Both end with the caller's signal and reject with `AppError`s only. */
export interface YahooClient {
  /** The raw result of `quote()`. It needs cookies and a crumb, which are renewed when Yahoo rejects them. */
  quotes(symbols: string[], signal?: AbortSignal): Promise<unknown>;
  /** Daily bars, splits and dividends of a range plus one day on either side, dated in UTC. */
  chart(symbol: string, range: DateRange & { signal?: AbortSignal | undefined }): Promise<YahooChart>;
}

/** yahoo-finance2 with our own fetch, no logging, and a separate cookie jar. */
export function yahooClient(options: YahooFetchOptions): YahooClient {
  const fetch = yahooFetch(options);
  let library = newLibrary(fetch);

  async function renewing<T>(call: (from: typeof library) => Promise<T>): Promise<T> {
    const asked = library;
    try {
      return await call(asked);
    } catch (error) {
      if (!isCrumbRefused(error)) throw error;
      // The library keeps a crumb forever, but Yahoo rotates them. A new instance has a new cookie jar. Calls in flight
      // finish with the old one, and a second caller finds the instance already renewed.
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
    queue: { concurrency: 1_000_000 }, // the gate limits concurrency
    logger: { info: silent, warn: silent, error: silent, debug: silent, dir: silent },
    validation: { logErrors: false, logOptionsErrors: false },
    suppressNotices: ['yahooSurvey'],
    versionCheck: false,
  });
}

/** Our own schemas validate results: the library's reject real responses, for example with a null currency. */
const moduleOptions = (signal: AbortSignal | undefined) =>
  ({ validateResult: false, ...(signal && { fetchOptions: { signal } }) }) as const;

/** Ends with the caller's signal, and rejects with `AppError`s only. */
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
    throw failures.unavailable({ provider: 'yahoo', what: 'failed with an unexpected error', cause: error });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
