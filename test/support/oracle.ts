/**
 * What the betas of the simulated market must be, from its known coefficients: textbook formulas, written plainly,
 * and no line shared with src/factors. Series are aligned; returns are simple and daily.
 */

export type Row = number[];

/** The last `window` simple returns of a price series. */
export function lastReturns(prices: readonly number[], window: number): Row {
  const all: Row = [];
  for (let t = 1; t < prices.length; t += 1) all.push((prices[t]! - prices[t - 1]!) / prices[t - 1]!);
  return all.slice(all.length - window);
}

export const minus = (a: Row, b: Row): Row => a.map((value, i) => value - b[i]!);

/** Population covariance (divided by n) of two series. */
export function covariance(a: Row, b: Row): number {
  const meanA = a.reduce((sum, value) => sum + value, 0) / a.length;
  const meanB = b.reduce((sum, value) => sum + value, 0) / b.length;
  return a.reduce((sum, value, i) => sum + (value - meanA) * (b[i]! - meanB), 0) / a.length;
}

/** The slope that least squares finds without noise: the sum over k of c_k Sxy(f_k, x) / Sxx. */
export function noiseFreeBeta(input: { x: Row; factors: Row[]; coefficients: Row }): number {
  const { x, factors, coefficients } = input;
  return factors.reduce((sum, f, k) => sum + coefficients[k]! * covariance(f, x), 0) / covariance(x, x);
}

/** Standard deviation of that slope under noise of `sigma` a day. */
export const slopeDeviation = (x: Row, sigma: number): number =>
  sigma / Math.sqrt(x.length * covariance(x, x));

export interface Ridge {
  /** Population covariance of the predictors. */
  s: Row[];
  /** S + (alpha / n) diag S, with alpha 1. */
  a: Row[];
  n: number;
}

export function ridgeOf(styles: Row[]): Ridge {
  const n = styles[0]!.length;
  const s = styles.map((x) => styles.map((other) => covariance(x, other)));
  const a = s.map((row, i) => row.map((value, j) => (i === j ? value * (1 + 1 / n) : value)));
  return { s, a, n };
}

/** A^-1 times the covariances of the predictors with a return that is the factors times the coefficients. */
export function noiseFreeRidge(input: {
  ridge: Ridge;
  styles: Row[];
  factors: Row[];
  coefficients: Row;
}): Row {
  const { ridge, styles, factors, coefficients } = input;
  const products = styles.map((x) =>
    factors.reduce((sum, f, k) => sum + coefficients[k]! * covariance(f, x), 0),
  );
  return solve(ridge.a, products);
}

/** (S + (1/n) diag S)^-1 S c: what ridge finds for a symbol loaded on the styles only. */
export function shrunkCoefficients(ridge: Ridge, coefficients: Row): Row {
  return solve(ridge.a, times(ridge.s, coefficients));
}

/** d' V^-1 d with V = sigma² A^-1 S A^-1 / n: chi-squared, one degree of freedom per predictor. */
export function ridgeDistance(input: { ridge: Ridge; error: Row; sigma: number }): number {
  const { ridge, error, sigma } = input;
  const spread = times(ridge.a, error);
  const weighed = solve(ridge.s, spread);
  return (spread.reduce((sum, value, i) => sum + value * weighed[i]!, 0) * ridge.n) / sigma ** 2;
}

export const times = (matrix: Row[], vector: Row): Row =>
  matrix.map((row) => row.reduce((sum, value, j) => sum + value * vector[j]!, 0));

/** Gauss's elimination with partial pivoting. */
export function solve(matrix: Row[], right: Row): Row {
  const m = matrix.map((row, i) => [...row, right[i]!]);
  const n = m.length;
  for (let k = 0; k < n; k += 1) {
    let best = k;
    for (let i = k + 1; i < n; i += 1) if (Math.abs(m[i]![k]!) > Math.abs(m[best]![k]!)) best = i;
    [m[k], m[best]] = [m[best]!, m[k]!];
    for (let i = k + 1; i < n; i += 1) {
      const factor = m[i]![k]! / m[k]![k]!;
      for (let j = k; j <= n; j += 1) m[i]![j]! -= factor * m[k]![j]!;
    }
  }
  const x: Row = Array.from({ length: n }, () => 0);
  for (let i = n - 1; i >= 0; i -= 1) {
    let rest = m[i]![n]!;
    for (let j = i + 1; j < n; j += 1) rest -= m[i]![j]! * x[j]!;
    x[i] = rest / m[i]![i]!;
  }
  return x;
}
