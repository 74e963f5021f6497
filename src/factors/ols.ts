import assert from 'node:assert/strict';
import { type Centred, dot } from './centering.ts';
import { studentQuantile } from './student-quantile.ts';

export interface OlsFit {
  beta: number;
  intercept: number;
  /** Classical standard error of `beta`, n - 2 degrees of freedom: 0 for an exact fit and for a constant `y`. */
  standardError: number;
  /** `beta / standardError`; null if `standardError` is 0. */
  t: number | null;
  /** 95 % interval of `beta`. */
  intervalLow: number;
  intervalHigh: number;
  /** Null for a constant `y`: there is no variance to explain. */
  rSquared: number | null;
  /** The residuals are rounding errors: SSE <= 1e-24 x SST. */
  exact: boolean;
}

// Residuals of a proxy on itself are rounding errors, about 1e-16 of its returns: 1e-32 in squares.
const exactShare = 1e-24;

/**
 * Fits y = a + b x by ordinary least squares, one predictor.
 *
 * `y` and `x` are n centred values each (n >= 3), aligned: daily simple returns, so `intercept` is a daily return and
 * `beta` has no unit. A constant `y` gives beta 0. A constant `x` is the caller's mistake and fails an assertion.
 * Source: Draper & Smith, Applied Regression Analysis, 3rd ed., 1998, section 1.4.
 *
 *     fitOls({ y: centre(market.map((r) => 0.001 + 2 * r)), x: centre(market) }).beta   // 2
 */
export function fitOls({ y, x }: { y: Centred; x: Centred }): OlsFit {
  const n = y.deviations.length;
  assert(n === x.deviations.length && n > 2, `expected as many y as x, at least 3, got: ${n}`);
  assert(!x.constant, 'expected a predictor that varies');
  if (y.constant) return withoutError({ beta: 0, intercept: y.mean, rSquared: null, exact: false });

  const sumOfProducts = dot(x.deviations, y.deviations);
  const beta = sumOfProducts / x.sumOfSquares;
  const intercept = y.mean - beta * x.mean;
  let squaredErrors = 0;
  for (let i = 0; i < n; i += 1) squaredErrors += (y.deviations[i]! - beta * x.deviations[i]!) ** 2;
  if (squaredErrors <= exactShare * y.sumOfSquares) {
    return withoutError({ beta, intercept, rSquared: 1, exact: true });
  }

  const standardError = Math.sqrt(squaredErrors / (n - 2) / x.sumOfSquares);
  const margin = studentQuantile(n - 2) * standardError;
  return {
    beta,
    intercept,
    standardError,
    t: beta / standardError,
    intervalLow: beta - margin,
    intervalHigh: beta + margin,
    // Not 1 - SSE/SST: if R² is near 0, as for many spreads, cancellation would leave only rounding errors.
    rSquared: Math.min(1, (sumOfProducts / x.sumOfSquares) * (sumOfProducts / y.sumOfSquares)),
    exact: false,
  };
}

type WithoutError = Pick<OlsFit, 'beta' | 'intercept' | 'rSquared' | 'exact'>;

function withoutError(fit: WithoutError): OlsFit {
  return { ...fit, standardError: 0, t: null, intervalLow: fit.beta, intervalHigh: fit.beta };
}
