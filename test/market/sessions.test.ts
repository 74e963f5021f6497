import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addDays,
  historyRange,
  instantOf,
  isWeekday,
  lastCompletedSession,
  localDate,
  localTime,
  sessionCompletedAt,
  sessionHours,
  weekdaysBetween,
} from '../../src/market/sessions.ts';

const newYork = { timeZone: 'America/New_York', sessionEnd: '16:00', tradesWeekends: false };
const london = { timeZone: 'Europe/London', sessionEnd: '16:30', tradesWeekends: false };
const tokyo = { timeZone: 'Asia/Tokyo', sessionEnd: '15:30', tradesWeekends: false };
const sydney = { timeZone: 'Australia/Sydney', sessionEnd: '16:00', tradesWeekends: false };
const crypto = { timeZone: 'UTC', sessionEnd: '24:00', tradesWeekends: true };
const currencies = { timeZone: 'Europe/London', sessionEnd: '24:00', tradesWeekends: false };
const at = (instant: string) => Date.parse(instant);

describe('the last completed session', () => {
  test.each([
    // Summer: New York is 4 hours behind UTC, so 16:30 is 20:30Z.
    [newYork, '2026-07-31T20:29:59.999Z', '2026-07-30'],
    [newYork, '2026-07-31T20:30:00.000Z', '2026-07-31'],
    // Winter: 5 hours behind.
    [newYork, '2026-01-15T21:29:59.999Z', '2026-01-14'],
    [newYork, '2026-01-15T21:30:00.000Z', '2026-01-15'],
    // The clocks change on Sunday 2026-03-08; the Monday after ends an hour earlier in UTC than the Friday before.
    [newYork, '2026-03-06T21:30:00.000Z', '2026-03-06'],
    [newYork, '2026-03-09T20:29:59.999Z', '2026-03-06'],
    [newYork, '2026-03-09T20:30:00.000Z', '2026-03-09'],
    [london, '2026-10-23T16:00:00.000Z', '2026-10-23'],
    [london, '2026-10-26T16:59:59.999Z', '2026-10-23'],
    [london, '2026-10-26T17:00:00.000Z', '2026-10-26'],
    // East of Greenwich the session is over before the day begins in New York.
    [tokyo, '2026-07-31T06:59:59.999Z', '2026-07-30'],
    [tokyo, '2026-07-31T07:00:00.000Z', '2026-07-31'],
    [tokyo, '2026-08-02T23:00:00.000Z', '2026-07-31'],
    [sydney, '2026-07-30T23:59:00.000Z', '2026-07-30'],
    [sydney, '2026-01-15T05:30:00.000Z', '2026-01-15'],
    // A weekend belongs to its Friday.
    [newYork, '2026-08-01T20:30:00.000Z', '2026-07-31'],
    [newYork, '2026-08-02T23:59:00.000Z', '2026-07-31'],
    // Markets that never close: at midnight, without a settling time.
    [crypto, '2026-08-02T23:59:59.999Z', '2026-08-01'],
    [crypto, '2026-08-03T00:00:00.000Z', '2026-08-02'],
    [currencies, '2026-07-31T22:59:59.999Z', '2026-07-30'],
    [currencies, '2026-07-31T23:00:00.000Z', '2026-07-31'],
    [currencies, '2026-08-02T23:00:00.000Z', '2026-07-31'],
  ])('%o at %s is %s', (hours, now, expected) => {
    expect(lastCompletedSession({ now: at(now), ...hours })).toBe(expected);
  });

  test('is complete at now, and the next session is not', () => {
    const hours = fc.constantFrom(newYork, london, tokyo, sydney, crypto, currencies);
    const start = fc.integer({ min: at('2000-01-01'), max: at('2040-01-01') });
    const later = fc.array(fc.integer({ min: -4 * 86_400_000, max: 4 * 86_400_000 }), { maxLength: 8 });
    const instants = fc
      .tuple(start, later)
      .map(([first, others]) => [first, ...others.map((ms) => first + ms)]);
    const isComplete = (exchange: typeof newYork, now: number) => {
      const last = lastCompletedSession({ now, ...exchange });
      let next = addDays(last, 1);
      while (!exchange.tradesWeekends && !isWeekday(next)) next = addDays(next, 1);
      expect(sessionCompletedAt(last, exchange)).toBeLessThanOrEqual(now);
      expect(sessionCompletedAt(next, exchange)).toBeGreaterThan(now);
      expect(exchange.tradesWeekends || isWeekday(last)).toBe(true);
    };
    fc.assert(
      fc.property(hours, instants, (exchange, nows) => {
        for (const now of nows) isComplete(exchange, now);
      }),
    );
  });
});

test('a year of history includes both ends', () => {
  expect(historyRange('2026-07-31')).toEqual({ from: '2025-07-31', to: '2026-07-31' });
  expect(historyRange('2024-02-29')).toEqual({ from: '2023-02-28', to: '2024-02-29' });
});

test('only cryptocurrencies trade at weekends', () => {
  const instrument = { symbol: 'X', name: null, currency: null, exchange: null, ...crypto };
  expect(sessionHours({ ...instrument, type: 'CRYPTOCURRENCY' }).tradesWeekends).toBe(true);
  expect(sessionHours({ ...instrument, type: 'CURRENCY' }).tradesWeekends).toBe(false);
});

describe('dates and times on the wall of an exchange', () => {
  test('a bar of Sydney that opens at 23:00 UTC belongs to the next day', () => {
    expect(localDate(at('2026-01-14T23:00:00Z'), 'Australia/Sydney')).toBe('2026-01-15');
    expect(localTime(at('2026-01-14T23:00:00Z'), 'Australia/Sydney')).toBe('10:00');
  });

  test('an instant goes to the wall and back', () => {
    const zones = fc.constantFrom('America/New_York', 'Europe/London', 'Asia/Tokyo', 'Asia/Kolkata', 'UTC');
    // Noon exists once on every day of every zone.
    const dates = fc.integer({ min: 0, max: 20_000 }).map((days) => addDays('1990-01-01', days));
    fc.assert(
      fc.property(zones, dates, (timeZone, date) => {
        const instant = instantOf({ date, time: '12:00', timeZone });
        expect(localDate(instant, timeZone)).toBe(date);
        expect(localTime(instant, timeZone)).toBe('12:00');
      }),
    );
  });
});

describe('weekdays', () => {
  test('Friday to Monday is one', () => {
    expect(weekdaysBetween({ from: '2026-07-31', to: '2026-08-03' })).toBe(1);
    expect(weekdaysBetween({ from: '2026-08-03', to: '2026-07-31' })).toBe(-1);
    expect(weekdaysBetween({ from: '2026-08-01', to: '2026-08-02' })).toBe(0);
  });

  test('counting agrees with walking the calendar', () => {
    const start = fc.integer({ min: -5000, max: 30_000 });
    fc.assert(
      fc.property(start, fc.integer({ min: 0, max: 60 }), (first, days) => {
        const from = addDays('1970-01-01', first);
        const walked = Array.from({ length: days }, (_, day) => addDays(from, day + 1)).filter(
          isWeekday,
        ).length;
        expect(weekdaysBetween({ from, to: addDays(from, days) })).toBe(walked);
      }),
    );
  });

  test('a weekday is Monday to Friday, before 1970 too', () => {
    const week = [
      '2026-07-27',
      '2026-07-28',
      '2026-07-29',
      '2026-07-30',
      '2026-07-31',
      '2026-08-01',
      '2026-08-02',
    ];
    expect(week.map(isWeekday)).toEqual([true, true, true, true, true, false, false]);
    expect(['1969-12-26', '1969-12-27', '1969-12-28', '1969-12-29'].map(isWeekday)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});
