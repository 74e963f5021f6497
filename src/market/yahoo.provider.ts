import YahooFinance from 'yahoo-finance2';
import { ExtendedCookieJar } from 'yahoo-finance2/lib/cookieJar';
import { AppError } from '../errors.ts';
import { failures } from './failures.ts';
import type { MarketDataProvider, Verdict } from './provider.ts';
import { addDays, historyRange, localDate } from './sessions.ts';
import { isWellFormed, malformedReason } from './symbol-form.ts';
import { type YahooFetchOptions, yahooFetch } from './yahoo.fetch.ts';
import { isCrumbRefused } from './yahoo-answers.ts';
import { chartHistory, chartInstrument, hasPrices, readChart, type YahooChart } from './yahoo-chart.ts';
import { soundQuotes } from './yahoo-quote.ts';

export interface YahooProviderOptions extends YahooFetchOptions {
  /** The dates on which New York was open (SPY's own), for "delisted"; weekdays while there are none. */
  calendar?: () => readonly string[] | undefined;
}

const batchMax = 99; // Yahoo has failed on more

/**
 * Yahoo Finance behind the port, by way of yahoo-finance2.
 *
 * `lookup` asks `quote()` for up to 99 symbols at once and `chart()` for each that the quote does not vouch for.
 * `history` is one `chart()`, which needs neither cookie nor crumb. An outage makes verdicts `unverifiable`.
 */
export function yahooProvider(options: YahooProviderOptions): MarketDataProvider {
  const { clock, calendar } = options;
  const fetch = yahooFetch(options);
  let client = newClient(fetch);

  async function quotes(symbols: string[], signal: AbortSignal | undefined): Promise<unknown> {
    const asked = client;
    try {
      return await asked.quote(symbols, {}, moduleOptions(signal));
    } catch (error) {
      if (!isCrumbRefused(error)) throw error;
      // The library keeps a crumb for ever, though Yahoo rotates them. A new client has a cookie jar of its own;
      // calls under way finish with the old one. Whoever comes second finds the client already renewed.
      if (client === asked) client = newClient(fetch);
      return client.quote(symbols, {}, moduleOptions(signal));
    }
  }

  function chart(
    symbol: string,
    { from, to, signal }: { from: string; to: string; signal: AbortSignal | undefined },
  ): Promise<YahooChart> {
    // Dates are UTC here and the exchange's in the answer: a day more on either side, and the cleaning cuts to size.
    const range = { period1: new Date(addDays(from, -1)), period2: new Date(addDays(to, 2)) };
    const path = encodeURIComponent(symbol); // the library would let `?` and `#` through
    const query = { ...range, interval: '1d', events: 'div|split', return: 'object' } as const;
    return guarded(signal, async () => readChart(await client.chart(path, query, moduleOptions(signal))));
  }

  async function chartVerdict(symbol: string, signal: AbortSignal | undefined): Promise<Verdict> {
    try {
      const year = historyRange(localDate(clock.now(), 'UTC'));
      const answer = await chart(symbol, { ...year, signal });
      if (hasPrices(answer)) return { symbol, verdict: 'valid', instrument: chartInstrument(symbol, answer) };
      return {
        symbol,
        verdict: 'invalid',
        reason: `Yahoo Finance has no prices of ${symbol} in the past year`,
      };
    } catch (error) {
      signal?.throwIfAborted();
      return verdictOf(symbol, error);
    }
  }

  async function batchVerdicts(symbols: string[], signal: AbortSignal | undefined): Promise<Verdict[]> {
    try {
      const sound = soundQuotes(await guarded(signal, () => quotes(symbols, signal)));
      return await Promise.all(
        symbols.map((symbol): Verdict | Promise<Verdict> => {
          const instrument = sound.get(symbol);
          return instrument ? { symbol, verdict: 'valid', instrument } : chartVerdict(symbol, signal);
        }),
      );
    } catch (error) {
      signal?.throwIfAborted();
      return symbols.map((symbol) => verdictOf(symbol, error));
    }
  }

  return {
    name: 'yahoo',
    async lookup(symbols, { signal } = {}) {
      signal?.throwIfAborted();
      const sent = [...new Set(symbols)].filter(isWellFormed);
      const batches = Array.from({ length: Math.ceil(sent.length / batchMax) }, (_, index) =>
        batchVerdicts(sent.slice(index * batchMax, (index + 1) * batchMax), signal),
      );
      const verdicts = new Map((await Promise.all(batches)).flat().map((one) => [one.symbol, one]));
      return symbols.map(
        (symbol) => verdicts.get(symbol) ?? { symbol, verdict: 'invalid', reason: malformedReason },
      );
    },
    async history({ symbol, from, to, signal }) {
      if (!isWellFormed(symbol)) throw failures.notFound({ provider: 'yahoo', symbol });
      const answer = await chart(symbol, { from, to, signal });
      return chartHistory(answer, { symbol, from, to, now: clock.now(), calendar: calendar?.() });
    },
  };
}

function newClient(fetch: typeof globalThis.fetch): InstanceType<typeof YahooFinance> {
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

function verdictOf(symbol: string, error: unknown): Verdict {
  const { message, retryAt, retryable } =
    error instanceof AppError
      ? error
      : failures.unavailable({ provider: 'yahoo', what: 'failed', cause: error });
  if (!retryable) return { symbol, verdict: 'invalid', reason: message };
  return { symbol, verdict: 'unverifiable', reason: message, ...(retryAt !== undefined && { retryAt }) };
}

/** Runs a call of the library so that it ends with the caller's signal and fails with `AppError`s only. */
async function guarded<T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
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
