import { describe, expect, test } from 'vitest';
import { worthOf } from '../../src/universe/freshness.ts';

const friday = '2026-07-31';
const freshness = { lastSession: friday, priceMaxAgeDays: 3 };

describe('worthOf', () => {
  test.each([
    [friday, true],
    ['2026-07-30', true],
    ['2026-07-28', true],
    ['2026-07-27', false],
    ['2026-07-26', false],
    ['2026-08-02', true], // a market that trades at weekends is ahead
  ])('a last bar of %s is known on a Friday, at most three weekdays behind: %s', (lastPriceDate, known) => {
    expect(worthOf({ isActive: true, lastPriceDate }, freshness)).toBe(known ? 'known' : 'stale');
  });

  test('a weekend costs no weekday', () => {
    const monday = { lastSession: '2026-08-03', priceMaxAgeDays: 1 };
    expect(worthOf({ isActive: true, lastPriceDate: friday }, monday)).toBe('known');
    expect(worthOf({ isActive: true, lastPriceDate: '2026-07-30' }, monday)).toBe('stale');
    expect(worthOf({ isActive: false, lastPriceDate: friday }, monday)).toBe('unpriced');
    expect(worthOf(undefined, monday)).toBe('unpriced');
  });
});
