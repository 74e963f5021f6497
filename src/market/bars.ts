import { decimalOf, movePoint, plainDecimal } from './decimals.ts';
import { assertListed } from './delisted.ts';
import { majorUnit } from './minor-units.ts';
import type { Bar, Instrument } from './provider.ts';
import { failures } from './provider-failures.ts';
import { type DateRange, lastCompletedSession, sessionCompletedAt, sessionHours } from './sessions.ts';

/** A double, converted by `decimalOf`, or a decimal string, kept unchanged. */
export type RawNumber = number | string | null | undefined;

/** A day as the provider sends it, in its quote unit. Rows may be unordered, repeated or missing. */
export interface RawBar {
  /** Trading day in the exchange's time zone, `YYYY-MM-DD`. */
  date: string;
  open?: RawNumber;
  high?: RawNumber;
  low?: RawNumber;
  close?: RawNumber;
  /** Missing in every row if the provider adjusts nothing; the close is used instead. */
  adjustedClose?: number | null | undefined;
  volume?: RawNumber;
}

export interface CleaningInput extends DateRange {
  instrument: Instrument;
  /** The currency as the provider names it. Quotes in `GBp` become bars in `GBP`. */
  quoteUnit: string | null;
  rows: readonly RawBar[];
  /** Epoch milliseconds. */
  now: number;
  /** Ascending dates on which the market was open (those of SPY). Without it, and after its end, weekdays count. */
  calendar?: readonly string[] | undefined;
}

/**
 * Converts a provider's rows to bars: completed sessions in the range, ascending, one per date, in the major currency.
 *
 * Drops rows without a close and the row of the running session. Of two rows with the same date the later one wins.
 * An invalid open, high or low becomes null, because no valuation uses it. Throws permanent failures: `unusable_data`
 * for a close that is not finite or not positive, `no_price_data` for fewer than 2 bars, and `delisted` if the last bar
 * is more than 20 sessions before the end of the range.
 */
export function cleanBars(input: CleaningInput): Bar[] {
  const { instrument, rows, from, to, now } = input;
  const completed = lastCompletedSession({ now, ...sessionHours(instrument) });
  const adjusts = rows.some((row) => row.adjustedClose != null);
  const byDate = new Map<string, Bar>();
  for (const row of rows) {
    if (row.date < from || row.date > to || row.close == null) continue;
    if (adjusts && row.adjustedClose == null) continue;
    // Some exchanges trade on Sundays, so a date after the last weekday session may be complete too.
    if (row.date > completed && sessionCompletedAt(row.date, instrument) > now) continue;
    byDate.set(row.date, toBar(row, input));
  }
  const bars = [...byDate.values()].sort((a, b) => (a.date < b.date ? -1 : 1));
  if (bars.length < 2) throw failures.noPriceData({ symbol: instrument.symbol, bars: bars.length });
  assertListed(bars.at(-1)!, { ...input, to: [completed, to].sort()[0]! });
  return bars;
}

function toBar(row: RawBar, { instrument, quoteUnit }: CleaningInput): Bar {
  const { places } = majorUnit(quoteUnit ?? '');
  const price = (value: RawNumber): string | null =>
    isPrice(value) ? movePoint(decimal(value), -places) : null;
  const required = (what: string, value: RawNumber): number => {
    if (isPrice(value)) return Number(value);
    const expected = `expected the ${what} to be a finite price > 0, got: ${value}`;
    throw failures.unusable({ symbol: instrument.symbol, date: row.date, what: expected });
  };
  required('close', row.close);
  return {
    date: row.date,
    open: price(row.open),
    high: price(row.high),
    low: price(row.low),
    close: price(row.close)!,
    adjustedClose: required('adjusted close', row.adjustedClose ?? row.close) / 10 ** places,
    volume: isVolume(row.volume) ? plainDecimal(Number(row.volume)) : null,
  };
}

const decimal = (value: number | string): string =>
  typeof value === 'number' ? decimalOf(value) : movePoint(value, 0);

function isPrice(value: RawNumber): value is number | string {
  if (typeof value === 'string') return /^\d+(\.\d+)?$/.test(value) && Number(value) > 0;
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

const isVolume = (value: RawNumber): boolean =>
  value != null && value !== '' && Number.isFinite(Number(value)) && Number(value) >= 0;
