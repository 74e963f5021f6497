import type { RowProblemCode } from '../contract/row-problem-catalog.ts';
import { makeRowProblem, type RowProblem } from '../contract/row-problems.ts';
import { columnRank } from './columns.ts';

export const problemsMax = 10_000; // 50,000 rows can have half a million, too many to read and to send
export const warningsMax = 1000;

/** Collects problems up to a limit and counts the others, so that an upload full of errors does not exhaust memory. */
export class ProblemList {
  readonly #listed: RowProblem[] = [];
  #unlisted = 0;
  readonly #max: number;
  readonly #more: RowProblemCode;

  /** `more` is the code of the last entry, which has the number of unlisted problems. */
  constructor(max: number, more: RowProblemCode) {
    this.#max = max;
    this.#more = more;
  }

  get isEmpty(): boolean {
    return this.#listed.length === 0;
  }

  /** Does not call `make` above the limit. */
  add(make: () => RowProblem): void {
    if (this.#listed.length < this.#max) this.#listed.push(make());
    else this.#unlisted += 1;
  }

  /** All by row and column; if some are not listed, the last entry has their number. */
  all(): RowProblem[] {
    const sorted = this.#listed.toSorted(byPlace);
    if (this.#unlisted > 0) sorted.push(makeRowProblem(this.#more, { value: String(this.#unlisted) }));
    return sorted;
  }
}

const byPlace = (a: RowProblem, b: RowProblem): number =>
  (a.line ?? 0) - (b.line ?? 0) || columnRank(a.column) - columnRank(b.column);

export const errorList = (): ProblemList => new ProblemList(problemsMax, 'ERR_CSV_007');
export const warningList = (): ProblemList => new ProblemList(warningsMax, 'WARN_CSV_002');
