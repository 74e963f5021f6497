import type { Recording } from './server.ts';

export interface RecordedChart {
  symbol: string;
  /** Instants as `2025-03-06T14:30Z`: the session's opening, as Yahoo stamps a daily bar. */
  opens: string[];
  closes: (number | null)[];
  /** The closes when missing. */
  adjusted?: (number | null)[];
  currency?: string | null;
  timeZone?: string;
  type?: string;
  /** Yahoo's current trading period; left out when missing. */
  period?: { start: string; end: string };
  dividends?: { at: string; amount: number }[];
  splits?: { at: string; numerator: number; denominator: number }[];
}

/**
 * A chart in the shape of the recordings, for what the simulated market never does: gaps, live rows, dividends,
 * early closes, currencies that are null.
 */
export function recordedChart(chart: RecordedChart): Recording {
  const { symbol, opens, closes, adjusted = closes, dividends = [], splits = [], period } = chart;
  const { currency = 'USD', timeZone = 'America/New_York', type = 'EQUITY' } = chart;
  const meta = {
    currency,
    symbol,
    exchangeName: 'XXX',
    instrumentType: type,
    exchangeTimezoneName: timeZone,
    longName: `${symbol} Corporation`,
    ...(period && {
      currentTradingPeriod: { regular: { start: seconds(period.start), end: seconds(period.end) } },
    }),
  };
  const paid = dividends.map(({ at, amount }) => [seconds(at), { date: seconds(at), amount }]);
  const split = splits.map(({ at, numerator, denominator }) => [
    seconds(at),
    { date: seconds(at), numerator, denominator, splitRatio: `${numerator}:${denominator}` },
  ]);
  const result = {
    meta,
    timestamp: opens.map(seconds),
    ...(paid.length + split.length > 0 && {
      events: { dividends: Object.fromEntries(paid), splits: Object.fromEntries(split) },
    }),
    indicators: {
      quote: [{ open: closes, high: closes, low: closes, close: closes, volume: closes.map(() => 1000) }],
      adjclose: [{ adjclose: adjusted }],
    },
  };
  return {
    path: `/v8/finance/chart/${symbol}`,
    status: 200,
    bodyJson: { chart: { result: [result], error: null } },
  };
}

const seconds = (instant: string): number => Date.parse(instant) / 1000;
