import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { centuryBefore, readDay } from '../../src/import/read-date.ts';

describe('readDay', () => {
  test.each(['2025-06-30', '2024-02-29', '2000-02-29', '1926-07-31', '2025-12-31'])('takes %s', (day) => {
    expect(readDay(day)).toEqual({ value: day, fix: null });
  });

  test.each([
    ['2025-02-29', '2025-02 has 28 days'],
    ['1900-02-29', '1900-02 has 28 days'],
    ['2025-04-31', '2025-04 has 30 days'],
    ['2025-01-00', '2025-01 has 31 days'],
    ['2025-13-01', 'Month 13 does not exist'],
    ['2025-00-01', 'Month 00 does not exist'],
  ])('refuses %s, which is no day', (text, advice) => {
    expect(readDay(text).value).toBeNull();
    expect(readDay(text).fix).toContain(advice);
  });

  test.each([
    ['06/30/2025', '2025-06-30.'],
    ['30.06.2025', '2025-06-30.'],
    ['06/06/2025', '2025-06-06.'],
    ['2025/6/3', '2025-06-03.'],
    ['20250630', '2025-06-30.'],
    ['2025-06-30T00:00:00Z', '2025-06-30.'],
    ['2025-06-30 00:00', '2025-06-30.'],
    ['06/07/2025', 'ambiguous'],
    ['45838', 'serial number'],
  ])('refuses %s and says what to write', (text, advice) => {
    expect(readDay(text).value).toBeNull();
    expect(readDay(text).fix).toContain(advice);
  });

  test.each(['', 'today', '2025-6-3x', '31/31/2025', '=TODAY()', '2025-06-30; drop'])(
    'refuses %j',
    (text) => {
      expect(readDay(text).value).toBeNull();
    },
  );

  test('takes exactly the days that the calendar has (property)', () => {
    const part = (max: number) => fc.integer({ min: 0, max });
    fc.assert(
      fc.property(fc.integer({ min: 1900, max: 2100 }), part(13), part(32), (year, month, day) => {
        const text = [year, String(month).padStart(2, '0'), String(day).padStart(2, '0')].join('-');
        const date = new Date(`${text}T00:00:00Z`);
        const isReal = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
        expect(readDay(text).value).toBe(isReal ? text : null);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('centuryBefore', () => {
  test('goes back a hundred years', () => {
    expect(centuryBefore('2026-07-31')).toBe('1926-07-31');
    expect(centuryBefore('2100-02-28')).toBe('2000-02-28');
  });
});
