import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { centre } from '../../src/factors/centering.ts';
import { fitOls } from '../../src/factors/ols.ts';
import { expectDigits, expectNear } from '../support/near.ts';
import { nistProblem } from '../support/nist.ts';
import { dailyReturns, numRuns } from '../support/series.ts';

const regress = (y: number[], x: number[]) => fitOls({ y: centre(y), x: centre(x) });
const pairs = fc
  .tuple(dailyReturns({ minLength: 3, maxLength: 60 }), fc.nat())
  .map(([x, seed]) => ({ x, y: x.map((value, i) => 0.7 * value + 0.01 * Math.sin(seed + 12.9898 * i)) }))
  .filter(({ x, y }) => !centre(x).constant && !centre(y).constant);

describe('ordinary least squares', () => {
  test('has 11 certified digits on Norris of NIST', () => {
    const norris = nistProblem('Norris');
    const [intercept, slope] = norris.coefficients;
    const y = norris.data.map((row) => row[0]!);
    const x = norris.data.map((row) => row[1]!);
    const { beta, standardError, rSquared, ...rest } = regress(y, x);
    expectDigits(beta, slope!.estimate, 11, 'beta');
    expectDigits(rest.intercept, intercept!.estimate, 11, 'intercept');
    expectDigits(standardError, slope!.standardDeviation, 11, 'standard error');
    expectDigits(rSquared!, norris.rSquared, 11, 'R²');
    expectDigits(rest.t!, slope!.estimate / slope!.standardDeviation, 11, 't');
  });

  test('keeps its digits when both series are moved far from 0', () => {
    const x = [1, 2, 3, 4, 5, 6];
    const y = [2, 1, 4, 3, 6, 5];
    const far = regress(
      y.map((value) => value + 1e9),
      x.map((value) => value + 1e9),
    );
    expectNear(far.beta, regress(y, x).beta);
    expectNear(far.standardError, regress(y, x).standardError);
  });

  test('reads a textbook example by hand', () => {
    // x = 1 2 3, y = 1 2 2: Sxx = 2, Sxy = 1, SSE = 1/6, one degree of freedom.
    const { beta, intercept, standardError, t, intervalLow, intervalHigh, rSquared, exact } = regress(
      [1, 2, 2],
      [1, 2, 3],
    );
    expectNear(beta, 0.5);
    expectNear(intercept, 2 / 3);
    expectNear(standardError, Math.sqrt(1 / 12));
    expectNear(t, Math.sqrt(3));
    expectNear(rSquared, 0.75);
    expectNear(intervalLow, 0.5 - Math.tan(0.475 * Math.PI) * Math.sqrt(1 / 12));
    expectNear(intervalHigh, 0.5 + Math.tan(0.475 * Math.PI) * Math.sqrt(1 / 12));
    expect(exact).toBe(false);
  });

  test('calls a line that explains everything exact: R² 1, standard error 0, no t', () => {
    const x = [0.01, -0.02, 0.005, 0.013];
    const { t, rSquared, standardError, exact, beta, intervalLow, intervalHigh } = regress(
      x.map((value) => 0.001 - 2 * value),
      x,
    );
    expect({ t, rSquared, standardError, exact }).toEqual({
      t: null,
      rSquared: 1,
      standardError: 0,
      exact: true,
    });
    expectNear(beta, -2);
    expect([intervalLow, intervalHigh]).toEqual([beta, beta]);
  });

  test('does not call a fit exact that misses by one part in a billion', () => {
    const x = [0.01, -0.02, 0.005, 0.013];
    expect(
      regress(
        x.map((value, i) => value * (1 + 1e-9 * i)),
        x,
      ).exact,
    ).toBe(false);
  });

  test('answers a constant series with beta 0 and its mean, without t and R²', () => {
    const { beta, intercept, t, rSquared, exact } = regress([0.01, 0.01, 0.01, 0.01], [0.1, 0.3, 0.2, 0.5]);
    expect({ beta, intercept, t, rSquared, exact }).toEqual({
      beta: 0,
      intercept: 0.01,
      t: null,
      rSquared: null,
      exact: false,
    });
  });

  test('takes steady growth for constant although its returns differ in the last digit', () => {
    const prices = Array.from({ length: 60 }, (_, i) => 100 * 1.001 ** i);
    const returns = prices.slice(1).map((price, i) => price / prices[i]! - 1);
    expect(new Set(returns).size).toBeGreaterThan(1);
    expect(centre(returns).constant).toBe(true);
  });

  test('refuses a constant predictor, two observations, and series of different length', () => {
    expect(() => regress([1, 2, 3], [5, 5, 5])).toThrow('predictor that varies');
    expect(() => regress([1, 2], [5, 6])).toThrow('at least 3, got: 2');
    expect(() => regress([1, 2, 3], [5, 6, 7, 8])).toThrow('as many y as x');
  });

  test('scales: k y has k times the beta, error and intercept, and the same t and R²', () => {
    fc.assert(
      fc.property(pairs, fc.double({ min: 0.1, max: 50, noNaN: true }), ({ x, y }, k) => {
        const once = regress(y, x);
        const scaled = regress(
          y.map((value) => k * value),
          x,
        );
        expectNear(scaled.beta, k * once.beta, 'beta');
        expectNear(scaled.standardError, k * once.standardError, 'standard error');
        expectNear(scaled.intercept, k * once.intercept, 'intercept');
        expectNear(scaled.rSquared, once.rSquared!, 'R²');
      }),
      { numRuns },
    );
  });

  test('shifts: adding a constant to y or x moves the intercept alone', () => {
    fc.assert(
      fc.property(pairs, fc.double({ min: -1, max: 1, noNaN: true }), ({ x, y }, shift) => {
        const once = regress(y, x);
        const moved = regress(
          y.map((value) => value + shift),
          x.map((value) => value + shift),
        );
        expect(Math.abs(moved.beta - once.beta)).toBeLessThan(1e-6 * (1 + Math.abs(once.beta)));
        expect(Math.abs(moved.intercept - (once.intercept + shift - moved.beta * shift))).toBeLessThan(1e-6);
      }),
      { numRuns },
    );
  });

  test('does not care about the order of days', () => {
    fc.assert(
      fc.property(pairs, ({ x, y }) => {
        const turned = regress(y.toReversed(), x.toReversed());
        expectNear(turned.beta, regress(y, x).beta, 'beta');
      }),
      { numRuns },
    );
  });

  test('leaves residuals that neither sum to anything nor follow x', () => {
    fc.assert(
      fc.property(pairs, ({ x, y }) => {
        const { beta, intercept } = regress(y, x);
        const residuals = y.map((value, i) => value - intercept - beta * x[i]!);
        expect(Math.abs(residuals.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-12);
        expect(Math.abs(residuals.reduce((sum, value, i) => sum + value * x[i]!, 0))).toBeLessThan(1e-12);
      }),
      { numRuns },
    );
  });
});
