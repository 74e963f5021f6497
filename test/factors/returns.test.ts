import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alignReturns, commonCalendar, simpleReturns } from '../../src/factors/returns.ts';
import { expectNear } from '../support/near.ts';
import { numRuns, pricesOf, weekdays } from '../support/series.ts';

const seriesOf = (closes: Record<string, number>) => ({
  dates: Object.keys(closes),
  closes: Object.values(closes),
});

describe('simple returns', () => {
  test('are the ratio of neighbours less 1, one fewer than prices', () => {
    const [up, down] = simpleReturns([100, 110, 99]);
    expectNear(up, 0.1);
    expectNear(down, -0.1);
    expect(simpleReturns([100])).toEqual([]);
    expect(simpleReturns([])).toEqual([]);
  });

  test.each([
    [100, 0],
    [100, -1],
    [0, 100],
    [Number.NaN, 100],
    [100, Number.POSITIVE_INFINITY],
    [Number.POSITIVE_INFINITY, 100],
    [1e-320, 1e300],
  ])('are refused for %d to %d as a failure that no retry mends', (from, to) => {
    expect(() => simpleReturns([from, to])).toThrow(
      expect.objectContaining({ code: 'calculation_failed', retryable: false }),
    );
  });
});

describe('the common calendar', () => {
  test('has the dates on which every series closed', () => {
    const dates = (...all: string[]) => ({ dates: all, closes: all.map(() => 1) });
    expect(commonCalendar([dates('1', '2', '3'), dates('2', '3', '4'), dates('0', '2', '3')])).toEqual([
      '2',
      '3',
    ]);
    expect(commonCalendar([dates('1', '2'), dates()])).toEqual([]);
    expect(commonCalendar([])).toEqual([]);
  });
});

describe('aligning a symbol with the calendar', () => {
  const calendar = ['2026-07-30', '2026-07-31', '2026-08-03', '2026-08-04'];

  test("makes one step of crypto's Friday to Monday", () => {
    const crypto = seriesOf({
      '2026-07-30': 100,
      '2026-07-31': 110,
      '2026-08-01': 400,
      '2026-08-02': 5,
      '2026-08-03': 99,
    });
    const { positions, returns } = alignReturns(crypto, calendar);
    expect(positions).toEqual([1, 2]);
    expectNear(returns[1], -0.1);
  });

  test('loses the two returns that touch a foreign holiday, and makes none across it', () => {
    const london = seriesOf({ '2026-07-30': 100, '2026-07-31': 101, '2026-08-04': 120, '2026-08-05': 121 });
    const { positions } = alignReturns(london, calendar);
    expect(positions).toEqual([1]);
  });

  test('finds nothing for a symbol with one close, none, or none on the calendar', () => {
    const nothing = { positions: [], returns: [] };
    expect(alignReturns(seriesOf({ '2026-07-31': 1 }), calendar)).toEqual(nothing);
    expect(alignReturns(seriesOf({}), calendar)).toEqual(nothing);
    expect(alignReturns(seriesOf({ '2026-08-01': 1, '2026-08-02': 2 }), calendar)).toEqual(nothing);
    expect(alignReturns(seriesOf({ '2026-07-30': 1, '2026-07-31': 2 }), [])).toEqual(nothing);
  });

  test('gives back the returns of a symbol that trades on every date of the calendar', () => {
    const dates = weekdays(40);
    const made = dates.slice(1).map((_, i) => 0.01 * Math.sin(i));
    const { positions, returns } = alignReturns({ dates, closes: pricesOf(made) }, dates);
    expect(positions).toEqual(made.map((_, i) => i + 1));
    for (const [i, value] of returns.entries()) expectNear(value, made[i]!);
  });

  // Which days the symbol and the calendar have, among 60.
  const gaps = fc.tuple(
    fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
    fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
  );
  const days = weekdays(60);

  test('yields a return exactly where both ends of a calendar step have a price, over that step alone', () => {
    fc.assert(
      fc.property(gaps, ([traded, open]) => {
        const closeOn = new Map(days.map((day, i) => [day, 100 + i * (1 + (i % 3))]));
        const dates = days.filter((_, i) => traded[i]);
        const onCalendar = days.filter((_, i) => open[i]);
        const symbol = { dates, closes: dates.map((day) => closeOn.get(day)!) };
        const { positions, returns } = alignReturns(symbol, onCalendar);

        const expected = onCalendar.flatMap((day, t) =>
          t > 0 && dates.includes(day) && dates.includes(onCalendar[t - 1]!) ? [t] : [],
        );
        expect(positions).toEqual(expected);
        for (const [i, t] of positions.entries()) {
          expectNear(returns[i], closeOn.get(onCalendar[t]!)! / closeOn.get(onCalendar[t - 1]!)! - 1);
        }
      }),
      { numRuns },
    );
  });

  test('loses at most two returns to each day that the symbol misses', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(59), { maxLength: 10 }), (missing) => {
        const dates = days.filter((_, i) => !missing.includes(i));
        const { returns } = alignReturns({ dates, closes: dates.map(() => 1) }, days);
        expect(returns.length).toBeGreaterThanOrEqual(59 - 2 * missing.length);
        expect(returns.length).toBeLessThanOrEqual(59 - missing.length);
      }),
      { numRuns },
    );
  });

  test('is blind to what happens off the calendar and to the unit of the prices', () => {
    fc.assert(
      fc.property(gaps, fc.double({ min: 0.01, max: 100, noNaN: true }), ([traded, open], unit) => {
        const onCalendar = days.filter((_, i) => open[i]);
        const dates = days.filter((_, i) => traded[i]);
        const closes = dates.map((_, i) => 50 + (i % 7));
        const before = alignReturns({ dates, closes }, onCalendar);
        const kept = dates.map((day, i) => [day, closes[i]! * unit] as const);
        const inside = kept.filter(([day]) => onCalendar.includes(day));
        const after = alignReturns(
          { dates: inside.map(([day]) => day), closes: inside.map(([, close]) => close) },
          onCalendar,
        );
        expect(after.positions).toEqual(before.positions);
        for (const [i, value] of after.returns.entries()) expectNear(value, before.returns[i]!);
      }),
      { numRuns },
    );
  });
});
