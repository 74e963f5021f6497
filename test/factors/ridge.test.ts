import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { centre } from '../../src/factors/centering.ts';
import { fitOls } from '../../src/factors/ols.ts';
import { fitRidge, prepareRidge } from '../../src/factors/ridge.ts';
import { expectNear } from '../support/near.ts';
import { covariance, solve, times } from '../support/oracle.ts';
import { dailyReturns, numRuns } from '../support/series.ts';

const regress = (input: { y: number[]; x: number[][]; alpha: number }) =>
  fitRidge({ y: centre(input.y), design: prepareRidge(input) });

/** Three columns of 20 that are not nearly dependent, and a series that is not a line through them. */
const problems = fc
  .tuple(dailyReturns({ minLength: 20, maxLength: 20 }), fc.nat(1e6))
  .map(([y, seed]) => {
    const x = [1, 2, 3].map((k) => y.map((_, i) => 0.01 * Math.sin(seed + 7.1 * k * (i + 1) + i * i)));
    return { y, x, alpha: 1 };
  })
  .filter(({ y, x }) => !centre(y).constant && prepareRidge({ x, alpha: 1 }).conditionNumber < 100);

describe('ridge regression', () => {
  test('with one column shrinks the least squares beta by n / (n + alpha)', () => {
    const x = [0.01, -0.02, 0.03, 0.005];
    const y = [0.02, -0.01, 0.01, 0.004];
    const { beta } = fitOls({ y: centre(y), x: centre(x) });
    expectNear(regress({ y, x: [x], alpha: 1 }).betas[0], (beta * 4) / 5);
    expectNear(regress({ y, x: [x], alpha: 0 }).betas[0], beta);
  });

  test('solves (S + (alpha / n) diag S) b = s_xy with population covariances', () => {
    fc.assert(
      fc.property(problems, ({ y, x, alpha }) => {
        const s = x.map((a) => x.map((b) => covariance(a, b)));
        const left = s.map((row, i) => row.map((v, j) => (i === j ? v * (1 + alpha / y.length) : v)));
        const expected = solve(
          left,
          x.map((a) => covariance(a, y)),
        );
        const { betas } = regress({ y, x, alpha });
        for (const [k, beta] of betas.entries()) expectNear(beta, expected[k]!, `beta ${k}`);
      }),
      { numRuns },
    );
  });

  test('equals least squares where alpha is 0', () => {
    fc.assert(
      fc.property(problems, ({ y, x }) => {
        const { betas, intercept } = regress({ y, x, alpha: 0 });
        const s = x.map((a) => x.map((b) => covariance(a, b)));
        const slopes = times(s, betas);
        for (const [k, a] of x.entries()) expectNear(slopes[k], covariance(a, y), `normal equation ${k}`);
        const residual = y.map((v, i) => v - intercept - x.reduce((sum, a, k) => sum + betas[k]! * a[i]!, 0));
        expect(Math.abs(residual.reduce((sum, v) => sum + v, 0))).toBeLessThan(1e-12);
      }),
      { numRuns },
    );
  });

  test('permutes its betas as its columns are permuted', () => {
    fc.assert(
      fc.property(problems, ({ y, x, alpha }) => {
        const [a, b, c] = regress({ y, x, alpha }).betas;
        const turned = regress({ y, x: [x[2]!, x[0]!, x[1]!], alpha });
        expectNear(turned.betas[0], c!);
        expectNear(turned.betas[1], a!);
        expectNear(turned.betas[2], b!);
      }),
      { numRuns },
    );
  });

  test('penalises a column the same in whatever unit it comes, and never the intercept', () => {
    fc.assert(
      fc.property(problems, fc.double({ min: 0.01, max: 100, noNaN: true }), ({ y, x, alpha }, k) => {
        const once = regress({ y, x, alpha });
        const scaled = regress({ y, x: [x[0]!.map((v) => k * v), x[1]!, x[2]!], alpha });
        expectNear(scaled.betas[0]! * k, once.betas[0]!, 'in other units');
        expectNear(scaled.betas[1], once.betas[1]!, 'the others');
        const lifted = regress({ y: y.map((v) => v + 0.5), x, alpha });
        expectNear(lifted.intercept, once.intercept + 0.5, 'intercept');
        expectNear(lifted.betas[2], once.betas[2]!, 'beta');
      }),
      { numRuns },
    );
  });

  test('explains less and has smaller standardised coefficients the higher alpha is', () => {
    fc.assert(
      fc.property(problems, ({ y, x }) => {
        const fits = [0, 1, 10, 100].map((alpha) => regress({ y, x, alpha }));
        const lengths = fits.map(({ betas }) =>
          betas.reduce((sum, beta, k) => sum + beta ** 2 * covariance(x[k]!, x[k]!), 0),
        );
        for (let i = 1; i < fits.length; i += 1) {
          expect(fits[i]!.rSquared!).toBeLessThanOrEqual(fits[i - 1]!.rSquared! + 1e-12);
          expect(lengths[i]!).toBeLessThanOrEqual(lengths[i - 1]! * (1 + 1e-12));
        }
      }),
      { numRuns },
    );
  });

  test('has condition number 1 for orthogonal columns and an infinite one for dependent ones', () => {
    const up = [1, 1, -1, -1];
    const alternating = [1, -1, 1, -1];
    expectNear(prepareRidge({ x: [up, alternating], alpha: 1 }).conditionNumber, 1);
    const twice = prepareRidge({ x: [up, up.map((v) => 3 * v)], alpha: 1 });
    expect(twice.conditionNumber).toBe(Number.POSITIVE_INFINITY);
    // The penalty still decides: both copies carry the same standardised share.
    const { betas } = fitRidge({ y: centre([0.02, 0.01, -0.01, -0.02]), design: twice });
    expectNear(betas[0], 3 * betas[1]!);
  });

  test('without a penalty takes the shortest of the many answers that dependent columns leave', () => {
    const a = Array.from({ length: 30 }, (_, i) => 0.01 * Math.sin(3 * i));
    const b = Array.from({ length: 30 }, (_, i) => 0.01 * Math.cos(i * i));
    const both = a.map((value, i) => 0.7 * value - 0.4 * b[i]! + 0.001);
    const y = a.map((value, i) => value + b[i]! + 0.01 * Math.sin(i));
    const x = [a, b, both];
    const dependent = regress({ y, x, alpha: 0 });
    expectNear(dependent.rSquared, regress({ y, x: [a, b], alpha: 0 }).rSquared!);
    expect(Math.max(...dependent.betas.map(Math.abs))).toBeLessThan(2);
    expect(prepareRidge({ x, alpha: 0 }).conditionNumber).toBe(Number.POSITIVE_INFINITY);
  });

  test('answers a constant series with betas 0 and its mean, without R²', () => {
    const x = [[0.01, 0.02, -0.01, 0.03]];
    expect(regress({ y: [0.5, 0.5, 0.5, 0.5], x, alpha: 1 })).toEqual({
      betas: [0],
      intercept: 0.5,
      rSquared: null,
    });
  });

  test('refuses constant columns, as many columns as rows, a negative alpha, and another length of y', () => {
    const x = [[1, 2, 4]];
    expect(() => prepareRidge({ x: [[2, 2, 2]], alpha: 1 })).toThrow('predictors that vary');
    expect(() => prepareRidge({ x: [[1], [2]], alpha: 1 })).toThrow('more rows than columns');
    expect(() => prepareRidge({ x: [], alpha: 1 })).toThrow('more rows than columns');
    expect(() => prepareRidge({ x, alpha: -1 })).toThrow('alpha >= 0, got: -1');
    expect(() => regress({ y: [1, 2], x, alpha: 1 })).toThrow('as many y as rows of x, got: 2');
  });
});
