import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/kernel/errors.ts';
import { type CleaningInput, cleanBars, type RawBar } from '../../src/market/bars.ts';
import type { Instrument } from '../../src/market/provider.ts';
import { addDays, isWeekday } from '../../src/market/sessions.ts';

const instrument: Instrument = {
  symbol: 'VOD.L',
  name: 'Vodafone',
  type: 'EQUITY',
  currency: 'GBP',
  exchange: 'LSE',
  timeZone: 'Europe/London',
  sessionEnd: '16:30',
};
const monday = '2026-07-27';
const row = (date: string, close: number | null = 100, more: Partial<RawBar> = {}): RawBar => ({
  date,
  open: close,
  high: close,
  low: close,
  close,
  adjustedClose: close,
  volume: 1000,
  ...more,
});
const week = (first = monday): RawBar[] => [0, 1, 2, 3, 4].map((day) => row(addDays(first, day)));

/** Cleans rows as if it were Friday 2026-07-31, an hour after London's close. */
const clean = (rows: RawBar[], more: Partial<CleaningInput> = {}) =>
  cleanBars({
    instrument,
    quoteUnit: 'GBP',
    rows,
    from: '2025-07-31',
    to: '2026-07-31',
    now: Date.parse('2026-07-31T16:30:00Z'),
    ...more,
  });

function failure(run: () => unknown): Pick<AppError, 'code' | 'retryable' | 'message' | 'details'> {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('expected an AppError, got: no error');
}

describe('cleaning a series', () => {
  test('pence become pounds exactly, in every column', () => {
    const quoted = row('2026-07-30', 239.64999389648438, {
      open: 240.1,
      high: 241,
      low: 5,
      adjustedClose: 230,
      volume: 18_565_664_997,
    });
    expect(clean([row(monday), quoted], { quoteUnit: 'GBp' })[1]).toEqual({
      date: '2026-07-30',
      open: '2.401',
      high: '2.41',
      low: '0.05',
      close: '2.3965',
      adjustedClose: 2.3,
      volume: '18565664997',
    });
  });

  test('decimal strings are kept as they are, without a detour through a double', () => {
    const bar = row('2026-07-30', null, { close: '12345678901234.5600', open: '0.10', adjustedClose: 7 });
    expect(clean([row(monday), bar])[1]).toMatchObject({ close: '12345678901234.56', open: '0.1' });
  });

  test('a row without a close is dropped, and one without an adjusted close where others have it', () => {
    const rows = [row('2026-07-27'), row('2026-07-28', null), row('2026-07-29'), row('2026-07-30')];
    expect(clean(rows).map((bar) => bar.date)).toEqual(['2026-07-27', '2026-07-29', '2026-07-30']);
    rows[2] = row('2026-07-29', 100, { adjustedClose: null });
    expect(clean(rows).map((bar) => bar.date)).toEqual(['2026-07-27', '2026-07-30']);
  });

  test('the close stands in where nothing is adjusted', () => {
    const rows = week().map(({ adjustedClose: _, ...rest }, day) => ({ ...rest, close: 100 + day }));
    expect(clean(rows).map((bar) => bar.adjustedClose)).toEqual([100, 101, 102, 103, 104]);
  });

  test('of two rows of one date the later one holds, unless it has no close', () => {
    const rows = [...week(), row('2026-07-30', 90), row('2026-07-29', null)];
    expect(clean(rows).map((bar) => bar.close)).toEqual(['100', '100', '100', '90', '100']);
  });

  test('the running session is dropped until half an hour after its end', () => {
    const before = Date.parse('2026-07-31T15:59:59.999Z'); // 16:59:59.999 in London
    expect(clean(week(), { now: before }).at(-1)?.date).toBe('2026-07-30');
    expect(clean(week(), { now: before + 1 }).at(-1)?.date).toBe('2026-07-31');
  });

  test('a Sunday on which an exchange did trade is kept once it is over', () => {
    const rows = [...week('2026-07-20'), row('2026-07-26')];
    const sunday = { to: '2026-07-26', now: Date.parse('2026-07-26T16:00:00Z') };
    expect(clean(rows, sunday).at(-1)?.date).toBe('2026-07-26');
    expect(clean(rows, { ...sunday, now: sunday.now - 1 }).at(-1)?.date).toBe('2026-07-24');
  });

  test('only the range asked for is returned, both ends included', () => {
    const bars = clean(week(), { from: '2026-07-28', to: '2026-07-30' });
    expect(bars.map((bar) => bar.date)).toEqual(['2026-07-28', '2026-07-29', '2026-07-30']);
  });

  test('an open, high or low that is no price is unknown, and so is a negative volume', () => {
    const bar = row('2026-07-30', 100, { open: 0, high: Number.NaN, low: null, volume: -1 });
    expect(clean([row(monday), bar])[1]).toMatchObject({ open: null, high: null, low: null, volume: null });
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    'a close of %d makes the series unusable',
    (close) => {
      expect(failure(() => clean([...week(), row('2026-07-30', close)]))).toMatchObject({
        code: 'unusable_data',
        retryable: false,
        message: `unusable data for VOD.L on 2026-07-30: expected the close to be a finite price > 0, got: ${close}`,
      });
    },
  );

  test('an adjusted close that is no price makes the series unusable', () => {
    const bar = row('2026-07-30', 100, { adjustedClose: -0.5 });
    expect(failure(() => clean([...week(), bar]))).toMatchObject({
      code: 'unusable_data',
      message: expect.stringContaining('adjusted close'),
    });
  });

  test.each([0, 1])('%d bars are no price data', (count) => {
    expect(failure(() => clean(week().slice(0, count)))).toMatchObject({
      code: 'no_price_data',
      retryable: false,
      message: `no price data for VOD.L: expected at least 2 daily closes, got: ${count}`,
    });
  });

  test('two bars are a series', () => {
    expect(clean(week().slice(0, 2))).toHaveLength(2);
  });

  test('whatever the rows, bars ascend, one per date, within the range', () => {
    const day = fc.integer({ min: 0, max: 400 }).map((days) => addDays('2025-07-01', days));
    const rows = fc.array(fc.record({ date: day, close: fc.double({ min: 0.01, max: 1e6, noNaN: true }) }));
    fc.assert(
      fc.property(rows, (some) => {
        const bars = clean([...week(), ...some]);
        const dates = bars.map((bar) => bar.date);
        expect(dates).toEqual([...new Set(dates)].sort());
        expect(dates.every((date) => date >= '2025-07-31' && date <= '2026-07-31')).toBe(true);
        expect(bars.every((bar) => Number(bar.close) > 0)).toBe(true);
      }),
    );
  });
});

describe('a symbol that is no longer traded', () => {
  const old = (last: string): RawBar[] => [row(addDays(last, -1), 98), row(last, 98.7)];

  test('is recognised when its last bar is more than 20 sessions old, and says where it ended', () => {
    expect(clean(old('2026-07-03'))).toHaveLength(2); // 20 weekdays before 2026-07-31
    expect(failure(() => clean(old('2026-07-02')))).toMatchObject({
      code: 'delisted',
      retryable: false,
      message: 'VOD.L is no longer traded: its last close was 98.7 GBP on 2026-07-02',
      details: { symbol: 'VOD.L', lastClose: '98.7', lastDate: '2026-07-02', currency: 'GBP' },
    });
  });

  test('is judged by the market’s own dates when they are known', () => {
    const sessions = Array.from({ length: 400 }, (_, day) => addDays('2025-07-01', day)).filter(isWeekday);
    const calendar = sessions.filter((date) => date !== '2026-07-06' && date <= '2026-07-31');
    expect(clean(old('2026-07-02'), { calendar })).toHaveLength(2);
    expect(failure(() => clean(old('2026-07-01'), { calendar })).code).toBe('delisted');
  });

  test('is judged at the end of the range, not at the end of time', () => {
    expect(clean(week('2025-12-01'), { to: '2025-12-31' })).toHaveLength(5);
    expect(clean(week(), { to: '2027-12-31' })).toHaveLength(5);
  });
});
