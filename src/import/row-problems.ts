import { columnRank } from './columns.ts';
import { echo } from './csv-cells.ts';
import { type RowProblemCode, rowProblemCatalog } from './row-problem-catalog.ts';

/** One thing wrong, or remarkable, about one cell of an upload. */
export interface RowProblem {
  /** The row as a spreadsheet numbers it, or the place in a JSON list from 1; null where the whole file is meant. */
  line: number | null;
  /** The column under the name that the upload used, null where the whole row is meant. */
  column: string | null;
  /** What the cell held, shortened and without control characters; null where no cell is meant. */
  value: string | null;
  code: RowProblemCode;
  /** What is wrong, and a sentence that says how to mend it. */
  message: string;
  /** The earlier row that a duplicate repeats. */
  relatedLine?: number;
}

export interface ProblemPlace {
  line?: number | null;
  column?: string | null;
  value?: string | null;
  relatedLine?: number;
}

/** A problem with the catalogue's words; `mend` replaces the general advice where the value allows a better one. */
export function makeRowProblem(
  code: RowProblemCode,
  place: ProblemPlace = {},
  fix?: string | null,
): RowProblem {
  const { title, fix: advice } = rowProblemCatalog[code];
  const { line = null, column = null, value = null, relatedLine } = place;
  return {
    line,
    column,
    value: value === null ? null : echo(value),
    code,
    message: `${title}. ${fix ?? advice}`,
    ...(relatedLine === undefined ? {} : { relatedLine }),
  };
}

export const problemsMax = 10_000; // 50,000 rows can have half a million: nobody reads them, and they must be sent
export const warningsMax = 1000;

/** Takes problems up to a limit and counts the rest: an upload full of errors must not cost more than its answer. */
export class ProblemList {
  readonly #listed: RowProblem[] = [];
  #unlisted = 0;
  readonly #max: number;
  readonly #more: RowProblemCode;

  /** `more` is the code of the last entry, which tells how many are not listed. */
  constructor(max: number, more: RowProblemCode) {
    this.#max = max;
    this.#more = more;
  }

  get isEmpty(): boolean {
    return this.#listed.length === 0;
  }

  /** The makers of unlisted problems are not called. */
  add(make: () => RowProblem): void {
    if (this.#listed.length < this.#max) this.#listed.push(make());
    else this.#unlisted += 1;
  }

  /** All of them by row and column; where some are not listed, the last entry says how many. */
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
