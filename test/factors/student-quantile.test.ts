import { describe, expect, test } from 'vitest';
import { studentQuantile } from '../../src/factors/student-quantile.ts';
import { expectDigits } from '../support/near.ts';

// The 97.5 % quantiles as doubles: mpmath 1.3 with 40 digits, root of the regularised incomplete beta function.
const quantiles = {
  1: 12.706204736174705, // tan(0.475 pi)
  2: 4.302652729749464, // 0.95 sqrt(2 / (1 - 0.95²))
  3: 3.1824463052837095,
  4: 2.7764451051977943,
  10: 2.228138851986275,
  28: 2.0484071417952454, // 30 observations
  58: 2.001717484145236, // 60
  88: 1.9872898648311697, // 90
  178: 1.9733808885488244, // 180
  1000: 1.9623390808264085,
};

describe('the t quantile', () => {
  test('is right to 13 digits, odd and even degrees of freedom alike', () => {
    for (const [degrees, expected] of Object.entries(quantiles)) {
      expectDigits(studentQuantile(Number(degrees)), expected, 13, `${degrees} degrees`);
    }
  });

  test('agrees with the two closed forms', () => {
    expectDigits(studentQuantile(1), Math.tan(0.475 * Math.PI), 13);
    expectDigits(studentQuantile(2), 0.95 * Math.sqrt(2 / (1 - 0.95 ** 2)), 13);
  });

  test('falls with every degree of freedom towards the normal 1.959964', () => {
    const all = Array.from({ length: 400 }, (_, i) => studentQuantile(i + 1));
    for (const [i, quantile] of all.slice(1).entries()) expect(quantile).toBeLessThan(all[i]!);
    expect(studentQuantile(100_000)).toBeGreaterThan(1.959964);
    expect(studentQuantile(100_000)).toBeLessThan(1.96);
  });

  test.each([0, -1, 2.5, Number.NaN])('refuses %d degrees of freedom', (degrees) => {
    expect(() => studentQuantile(degrees)).toThrow(`degrees of freedom, got: ${degrees}`);
  });
});
