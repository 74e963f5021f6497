/** Numbers centred on their mean, the input of every regression here. */
export interface Centred {
  mean: number;
  deviations: number[];
  /** Sum of the squared deviations: n times the population variance. */
  sumOfSquares: number;
  /** All values are equal within rounding errors. */
  constant: boolean;
}

// A return is a ratio near 1, minus 1: its rounding error is a few times 2^-52, however small the return is.
const roundingErrors = 8;

/**
 * Centres n values (n >= 1) on their mean.
 *
 * The mean is corrected once by the mean of the residuals, and the deviations are squared. The shortcut "sum of squares
 * minus n times squared mean" would suffer from cancellation. Source: Chan, Golub & LeVeque, The American Statistician
 * 37 (1983), 242-247.
 *
 *     centre([1, 2, 6])   // { mean: 3, deviations: [-2, -1, 3], sumOfSquares: 14, constant: false }
 */
export function centre(values: readonly number[]): Centred {
  const rough = average(values);
  const mean = rough + average(values.map((value) => value - rough));
  const deviations = values.map((value) => value - mean);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const tolerance = roundingErrors * Number.EPSILON * Math.max(1, Math.abs(low), Math.abs(high));
  return { mean, deviations, sumOfSquares: dot(deviations, deviations), constant: high - low <= tolerance };
}

/** Dot product of two rows of equal length. */
export function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i]! * b[i]!;
  return sum;
}

function average(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
