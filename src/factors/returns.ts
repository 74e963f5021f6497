import { AppError } from '../kernel/errors.ts';
import type { DailyCloses } from '../market/proxy-set.ts';

/** Returns of a symbol on the proxies' calendar. `positions[i]` is the calendar index of `returns[i]`, ascending. */
export interface AlignedReturns {
  positions: number[];
  returns: number[];
}

/**
 * Simple returns p[t] / p[t-1] - 1 of n prices: n - 1 numbers, 0.01 is 1 %.
 *
 * Throws `calculation_failed` (permanent) for a price that is not finite or not positive, or a ratio that overflows.
 *
 *     simpleReturns([100, 110, 99])   // about [0.1, -0.1]
 */
export function simpleReturns(prices: readonly number[]): number[] {
  return prices.slice(1).map((price, i) => simpleReturn({ from: prices[i]!, to: price }));
}

/** The ascending dates on which every series has a close: the calendar for all returns. */
export function commonCalendar(series: readonly DailyCloses[]): string[] {
  const [first, ...others] = series;
  if (first === undefined) return [];
  const traded = others.map(({ dates }) => new Set(dates));
  return first.dates.filter((date) => traded.every((dates) => dates.has(date)));
}

/**
 * The returns of a symbol on `calendar` (ascending dates).
 *
 * A return exists at a calendar date if the symbol closed on that date and on the previous calendar date, so it covers
 * exactly the same step as the proxies' return: crypto's Friday to Monday is one return, a foreign holiday loses the
 * two returns next to it, and no return spans several steps. Closes on other dates are ignored.
 *
 *     alignReturns({ dates: ['01', '02', '04'], closes: [10, 11, 12] }, ['01', '02', '03', '04'])
 *     // { positions: [1], returns: [0.1] }: the step over the third would be two steps long
 */
export function alignReturns(symbol: DailyCloses, calendar: readonly string[]): AlignedReturns {
  const closeOn = new Map(symbol.dates.map((date, i) => [date, symbol.closes[i]!]));
  const positions: number[] = [];
  const returns: number[] = [];
  let previous: number | undefined;
  for (const [position, date] of calendar.entries()) {
    const close = closeOn.get(date);
    if (previous !== undefined && close !== undefined) {
      positions.push(position);
      returns.push(simpleReturn({ from: previous, to: close }));
    }
    previous = close;
  }
  return { positions, returns };
}

function simpleReturn({ from, to }: { from: number; to: number }): number {
  const value = to / from - 1;
  if (from > 0 && from < Infinity && to > 0 && Number.isFinite(value)) return value;
  throw new AppError('calculation_failed', `expected prices to be finite and > 0, got: ${from}, ${to}`);
}
