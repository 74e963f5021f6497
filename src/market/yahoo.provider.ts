import { AppError } from '../errors.ts';
import { failures } from './failures.ts';
import type { MarketDataProvider, Verdict } from './provider.ts';
import { historyRange, localDate } from './sessions.ts';
import { isWellFormed, malformedReason } from './symbol-form.ts';
import { yahooClient } from './yahoo.client.ts';
import type { YahooFetchOptions } from './yahoo.fetch.ts';
import { chartHistory, chartInstrument, hasPrices } from './yahoo-chart.ts';
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
 *
 *     yahooProvider({ clock: systemClock, concurrency: 4, baseUrl: 'http://127.0.0.1:4500' })
 */
export function yahooProvider(options: YahooProviderOptions): MarketDataProvider {
  const { clock, calendar } = options;
  const client = yahooClient(options);

  async function batchVerdicts(symbols: string[], signal: AbortSignal | undefined): Promise<Verdict[]> {
    try {
      const sound = soundQuotes(await client.quotes(symbols, signal));
      return await Promise.all(
        symbols.map((symbol): Verdict | Promise<Verdict> => {
          const instrument = sound.get(symbol);
          return instrument ? { symbol, verdict: 'valid', instrument } : chartVerdict(symbol, signal);
        }),
      );
    } catch (error) {
      signal?.throwIfAborted();
      return symbols.map((symbol) => unverifiable(symbol, error));
    }
  }

  async function chartVerdict(symbol: string, signal: AbortSignal | undefined): Promise<Verdict> {
    try {
      const chart = await client.chart(symbol, { ...historyRange(localDate(clock.now(), 'UTC')), signal });
      if (hasPrices(chart)) return { symbol, verdict: 'valid', instrument: chartInstrument(symbol, chart) };
      const reason = `Yahoo Finance has no prices of ${symbol} in the past year`;
      return { symbol, verdict: 'invalid', reason };
    } catch (error) {
      signal?.throwIfAborted();
      // Permanent failures are Yahoo's own words about this symbol.
      const final = error instanceof AppError && !error.retryable;
      return final ? { symbol, verdict: 'invalid', reason: error.message } : unverifiable(symbol, error);
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
      signal?.throwIfAborted();
      if (!isWellFormed(symbol)) throw failures.notFound({ provider: 'yahoo', symbol });
      const chart = await client.chart(symbol, { from, to, signal });
      return chartHistory(chart, { symbol, from, to, now: clock.now(), calendar: calendar?.() });
    },
  };
}

function unverifiable(symbol: string, error: unknown): Verdict {
  const { message, retryAt } =
    error instanceof AppError
      ? error
      : failures.unavailable({ provider: 'yahoo', what: 'failed', cause: error });
  return { symbol, verdict: 'unverifiable', reason: message, ...(retryAt !== undefined && { retryAt }) };
}
