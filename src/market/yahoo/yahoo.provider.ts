import { AppError } from '../../kernel/errors.ts';
import { isWellFormed, malformedReason } from '../normalise-symbol.ts';
import {
  canary,
  type Instrument,
  type LookupOptions,
  type MarketDataProvider,
  type Verdict,
} from '../provider.ts';
import { failures } from '../provider-failures.ts';
import { addDays, type DateRange, historyRange, localDate } from '../sessions.ts';
import { canaryHealth } from './canary.ts';
import { keptCharts } from './kept-charts.ts';
import { guarded, yahooClient } from './yahoo.client.ts';
import type { YahooFetchOptions } from './yahoo.fetch.ts';
import { chartHistory, chartInstrument, hasPrices, type YahooChart } from './yahoo-chart.ts';
import { usableQuotes } from './yahoo-quote.ts';

export interface YahooProviderOptions extends YahooFetchOptions {
  /** The dates on which New York was open (those of SPY), for "delisted". Weekdays until they are loaded. */
  calendar?: () => readonly string[] | undefined;
  /** Up to this many symbols are looked up by chart, more by quote. */
  chartsMax?: number;
}

const batchMax = 99; // Yahoo has failed on larger batches
const chartsMaxDefault = 50; // the default depth of the queue; four at a time take a few seconds
const chartsMaxMs = 5000; // how much the limiter's interval may delay an upload that waits for charts
const marginDays = 7; // an exchange's last session is at most this much older than the date in UTC

/**
 * Market data from Yahoo Finance, through yahoo-finance2.
 *
 * `lookup` requests the chart of each symbol, which needs no cookie and no crumb; `history` of a symbol that was just
 * looked up reuses that chart. Above fifty symbols one `quote()` verifies up to 99 symbols, and charts are requested
 * for those that it omits, or for all if it fails. A symbol that is not found is invalid only if Yahoo has just
 * returned other prices or the canary; an outage makes verdicts `unverifiable`.
 *
 *     yahooProvider({ clock: systemClock, gate: providerGate({ clock: systemClock }) })
 */
export function yahooProvider(options: YahooProviderOptions): MarketDataProvider {
  const { clock, calendar, gate, chartsMax = chartsMaxDefault } = options;
  const client = yahooClient(options);
  const kept = keptCharts(clock);
  const health = canaryHealth({
    clock,
    async ask() {
      const to = localDate(clock.now(), 'UTC');
      const chart = await client.chart(canary, { from: addDays(to, -14), to });
      if (!hasPrices(chart)) throw new Error(`expected prices of ${canary}, got: none`);
    },
    unknown: (cause) => failures.unavailable({ provider: 'yahoo', what: `does not know ${canary}`, cause }),
  });

  async function chartOf(symbol: string, range: DateRange, signal?: AbortSignal): Promise<YahooChart> {
    try {
      const chart = await client.chart(symbol, { ...range, signal });
      if (hasPrices(chart)) health.markHealthy();
      return chart;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof AppError && error.code === 'symbol_not_found')
        await guarded(signal, () => health.requireHealthy());
      throw error;
    }
  }

  async function chartVerdict(symbol: string, { signal, since }: LookupOptions): Promise<Verdict> {
    const { from, to } = historyRange(localDate(clock.now(), 'UTC'));
    const range = { from: [addDays(from, -marginDays), since?.get(symbol) ?? from].sort()[0]!, to };
    try {
      const chart = await chartOf(symbol, range, signal);
      kept.keep(symbol, { chart, range });
      return { symbol, verdict: 'valid', instrument: instrumentIn(symbol, chart) };
    } catch (error) {
      signal?.throwIfAborted();
      return verdictFrom(symbol, error);
    }
  }

  async function quoteVerdicts(symbols: string[], options: LookupOptions): Promise<Verdict[]> {
    const { signal } = options;
    const usable = await client
      .quotes(symbols, signal)
      .then(usableQuotes)
      .catch(() => new Map<string, Instrument>());
    signal?.throwIfAborted();
    return Promise.all(
      symbols.map((symbol): Verdict | Promise<Verdict> => {
        const instrument = usable.get(symbol);
        return instrument ? { symbol, verdict: 'valid', instrument } : chartVerdict(symbol, options);
      }),
    );
  }

  return {
    name: 'yahoo',
    async lookup(symbols, options = {}) {
      options.signal?.throwIfAborted();
      const sent = [...new Set(symbols)].filter(isWellFormed);
      const { intervalMs } = gate.view().limiter;
      const asked =
        sent.length <= chartsMax && sent.length * intervalMs <= chartsMaxMs
          ? sent.map((symbol) => chartVerdict(symbol, options))
          : batchesOf(sent).map((batch) => quoteVerdicts(batch, options));
      const verdicts = new Map((await Promise.all(asked)).flat().map((one) => [one.symbol, one]));
      return symbols.map(
        (symbol) => verdicts.get(symbol) ?? { symbol, verdict: 'invalid', reason: malformedReason },
      );
    },
    async history({ symbol, from, to, actionsFrom = from, signal }) {
      signal?.throwIfAborted();
      if (!isWellFormed(symbol)) throw failures.notFound({ provider: 'yahoo', symbol });
      // One request: Yahoo sends splits only with bars, so bars before `from` are fetched too and dropped.
      const range = { from: actionsFrom, to };
      const { chart, at } = kept.take(symbol, range) ?? {
        chart: await chartOf(symbol, range, signal),
        at: clock.now(),
      };
      return chartHistory(chart, { symbol, from, to, actionsFrom, now: at, calendar: calendar?.() });
    },
  };
}

function batchesOf(symbols: string[]): string[][] {
  return Array.from({ length: Math.ceil(symbols.length / batchMax) }, (_, index) =>
    symbols.slice(index * batchMax, (index + 1) * batchMax),
  );
}

/** Null for an unknown type of instrument: the symbol exists, and its job reports what is wrong. */
function instrumentIn(symbol: string, chart: YahooChart): Instrument | null {
  try {
    return chartInstrument(symbol, chart);
  } catch {
    return null;
  }
}

/** Only "not found" makes a symbol invalid. A symbol without prices exists, and its job reports the failure. */
function verdictFrom(symbol: string, error: unknown): Verdict {
  const failure =
    error instanceof AppError
      ? error
      : failures.unavailable({ provider: 'yahoo', what: 'failed', cause: error });
  const { message: reason, retryAt } = failure;
  if (failure.code === 'symbol_not_found') return { symbol, verdict: 'invalid', reason };
  if (!failure.retryable) return { symbol, verdict: 'valid', instrument: null };
  return { symbol, verdict: 'unverifiable', reason, ...(retryAt !== undefined && { retryAt }) };
}
