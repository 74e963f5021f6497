import { LRUCache } from 'lru-cache';
import type { Clock } from '../../kernel/clock.ts';
import { type DateRange, lastCompletedSession, sessionHours } from '../sessions.ts';
import { chartInstrument, type YahooChart } from './yahoo-chart.ts';

export interface KeptCharts {
  keep(symbol: string, kept: { chart: YahooChart; range: DateRange }): void;
  /**
   * Removes and returns the kept chart of a range. Null if there is none, or a session has completed since it arrived.
   */
  take(symbol: string, range: DateRange): { chart: YahooChart; at: number } | null;
}

const rowsMax = 200_000; // 20 MB: the years of 800 symbols
const keptMs = 300_000; // enough to process a queue of fifty symbols

/**
 * Keeps the charts that verified symbols, for the jobs that need the same charts a moment later: one request serves
 * both. Each is returned once, with the instant of its arrival, which tells whether its last session was still running.
 */
export function keptCharts(clock: Pick<Clock, 'now'>): KeptCharts {
  const kept = new LRUCache<string, { chart: YahooChart; range: DateRange; at: number }>({
    maxSize: rowsMax,
    sizeCalculation: ({ chart }) => 1 + (chart.timestamp?.length ?? 0),
    ttl: keptMs,
    perf: clock,
    ttlResolution: 0,
  });
  return {
    keep(symbol, { chart, range }) {
      kept.set(symbol, { chart, range, at: clock.now() });
    },
    take(symbol, { from, to }) {
      const found = kept.get(symbol);
      if (!found) return null;
      kept.delete(symbol);
      const { chart, range, at } = found;
      if (from < range.from || to > range.to) return null;
      const hours = sessionHours(chartInstrument(symbol, chart));
      const session = (now: number) => lastCompletedSession({ now, ...hours });
      return session(at) === session(clock.now()) ? { chart, at } : null;
    },
  };
}
