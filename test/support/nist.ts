import { fixtureJson } from './fixtures.ts';

/** One of NIST's problems of linear regression with its certified results. */
export interface NistProblem {
  /** The intercept first. */
  coefficients: { estimate: number; standardDeviation: number }[];
  residualStandardDeviation: number;
  rSquared: number;
  /** Each row is y, then the predictors. */
  data: number[][];
}

export function nistProblem(name: string): NistProblem {
  return fixtureJson<Record<string, NistProblem>>('nist/linear-regression.json')[name]!;
}
