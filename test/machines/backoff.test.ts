import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../machines/backoff.ts';
import { random } from './harness.ts';

const input = fc.record({
  attempt: fc.integer({ min: 1, max: 2000 }),
  baseMs: fc.integer({ min: 1, max: 100_000 }),
  maxMs: fc.integer({ min: 1, max: 1_000_000 }),
  jitter: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

describe('backoffMs', () => {
  test.each([
    [1, 0.5, 500],
    [2, 0.5, 1000],
    [3, 0.5, 2000],
    [6, 0.5, 15_000],
    [1, 0, 0],
    [1, 0.999, 999],
  ])(
    'doubles the ceiling with each attempt up to the cap: attempt %i, jitter %d is %i ms',
    (attempt, jitter, ms) => {
      expect(backoffMs({ attempt, baseMs: 1000, maxMs: 30_000, jitter })).toBe(ms);
    },
  );

  test('is a whole number from 0 to below the cap, however many attempts there were', () => {
    fc.assert(
      fc.property(input, (given) => {
        const ms = backoffMs(given);
        expect(Number.isSafeInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(Math.min(given.maxMs, given.baseMs * 2 ** (given.attempt - 1)));
      }),
      random(500, 100_000),
    );
  });

  test('never shrinks when the jitter or the attempt grows', () => {
    fc.assert(
      fc.property(input, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (given, other) => {
        const [low, high] = [given.jitter, other].sort((a, b) => a - b) as [number, number];
        expect(backoffMs({ ...given, jitter: low })).toBeLessThanOrEqual(
          backoffMs({ ...given, jitter: high }),
        );
        expect(backoffMs(given)).toBeLessThanOrEqual(backoffMs({ ...given, attempt: given.attempt + 1 }));
      }),
      random(500, 100_000),
    );
  });
});
