import assert from 'node:assert/strict';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { type Centred, centre, dot } from './centering.ts';

/** The part of a ridge regression that depends on the predictors only; shared by every symbol with the same window. */
export interface RidgeDesign {
  columns: Centred[];
  /** Population standard deviation of each column (divided by n, not n - 1). */
  deviations: number[];
  /** Row k times centred `y` is the standardised coefficient of column k. */
  solver: number[][];
  /** Largest singular value of the standardised columns over the smallest; infinite if they are linearly dependent. */
  conditionNumber: number;
}

export interface RidgeFit {
  /** One per column, in the columns' original units. */
  betas: number[];
  intercept: number;
  /** Of the joint, penalised fit: 1 - SSE/SST without the penalty; null for a constant `y`. */
  rSquared: number | null;
}

/**
 * Prepares y = a + X b with the penalty `alpha` x the sum of squared *standardised* coefficients.
 *
 * `x` holds k columns of n daily simple returns (n > k), none of them constant; each is centred and divided by its
 * population standard deviation, which gives Z, so `alpha` means the same for every factor. With Z = U D V' the
 * coefficients are V diag(d / (d² + alpha)) U' y. Forming Z'Z would lose half the digits on nearly dependent columns.
 * `alpha` 0 is ordinary least squares (of least norm if columns are dependent). Source: Hoerl & Kennard,
 * Technometrics 12 (1970), 55-67; Hastie, Tibshirani & Friedman, Elements of Statistical Learning, section 3.4.1.
 */
export function prepareRidge({
  x,
  alpha,
}: {
  x: readonly (readonly number[])[];
  alpha: number;
}): RidgeDesign {
  const columns = x.map(centre);
  const n = x[0]?.length ?? 0;
  assert(alpha >= 0, `expected alpha >= 0, got: ${alpha}`);
  assert(
    n > x.length && x.every((column) => column.length === n),
    `expected more rows than columns, got: ${n}`,
  );
  assert(!columns.some(({ constant }) => constant), 'expected predictors that vary');
  const deviations = columns.map(({ sumOfSquares }) => Math.sqrt(sumOfSquares / n));
  const standardised = columns.map((column, k) => column.deviations.map((value) => value / deviations[k]!));
  const { leftSingularVectors, rightSingularVectors, diagonal } = new SingularValueDecomposition(
    new Matrix(standardised).transpose(),
  );
  const largest = Math.max(...diagonal);
  const negligible = largest * n * Number.EPSILON;
  const weights = diagonal.map((d) => (d > negligible ? d / (d * d + alpha) : 0));
  const solver = rightSingularVectors.mmul(Matrix.diag(weights)).mmul(leftSingularVectors.transpose());
  const smallest = Math.min(...diagonal);
  const conditionNumber = smallest > negligible ? largest / smallest : Number.POSITIVE_INFINITY;
  return { columns, deviations, solver: solver.to2DArray(), conditionNumber };
}

/**
 * Fits n centred values `y` on a prepared design; the intercept is not penalised.
 *
 *     fitRidge({ y: centre(market.map((r) => 2 * r)), design: prepareRidge({ x: [market], alpha: 0 }) }).betas   // [2]
 */
export function fitRidge({ y, design }: { y: Centred; design: RidgeDesign }): RidgeFit {
  const { columns, deviations, solver } = design;
  const n = y.deviations.length;
  assert(
    columns.every((column) => column.deviations.length === n),
    `expected as many y as rows of x, got: ${n}`,
  );
  if (y.constant) return { betas: columns.map(() => 0), intercept: y.mean, rSquared: null };

  const betas = solver.map((row, k) => dot(row, y.deviations) / deviations[k]!);
  let squaredErrors = 0;
  for (let i = 0; i < n; i += 1) {
    const fitted = columns.reduce((sum, column, k) => sum + betas[k]! * column.deviations[i]!, 0);
    squaredErrors += (y.deviations[i]! - fitted) ** 2;
  }
  const means = columns.map(({ mean }) => mean);
  return { betas, intercept: y.mean - dot(betas, means), rSquared: 1 - squaredErrors / y.sumOfSquares };
}
