import type { ProblemCode } from '../contract/row-problem-catalog.ts';
import { makeProblem, type Problem } from '../contract/row-problems.ts';
import { columnRank } from './columns.ts';

export const problemsMax = 10_000; // 50,000 rows can have half a million: nobody reads them, and they must be sent
export const warningsMax = 1000;

/** Takes problems up to a limit and counts the rest: an upload full of errors must not cost more than its answer. */
export class ProblemList {
  readonly #listed: Problem[] = [];
  #unlisted = 0;
  readonly #max: number;
  readonly #more: ProblemCode;

  /** `more` is the code of the last entry, which tells how many are not listed. */
  constructor(max: number, more: ProblemCode) {
    this.#max = max;
    this.#more = more;
  }

  get isEmpty(): boolean {
    return this.#listed.length === 0;
  }

  /** The makers of unlisted problems are not called. */
  add(make: () => Problem): void {
    if (this.#listed.length < this.#max) this.#listed.push(make());
    else this.#unlisted += 1;
  }

  /** All of them by row and column; where some are not listed, the last entry says how many. */
  all(): Problem[] {
    const sorted = this.#listed.toSorted(byPlace);
    if (this.#unlisted > 0) sorted.push(makeProblem(this.#more, { value: String(this.#unlisted) }));
    return sorted;
  }
}

const byPlace = (a: Problem, b: Problem): number =>
  (a.line ?? 0) - (b.line ?? 0) || columnRank(a.column) - columnRank(b.column);

export const errorList = (): ProblemList => new ProblemList(problemsMax, 'ERR_CSV_007');
export const warningList = (): ProblemList => new ProblemList(warningsMax, 'WARN_CSV_002');
