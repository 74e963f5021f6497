import { type ColumnLabels, type ColumnName, optionColumns, type RawPosition } from './columns.ts';
import type { RowProblemCode } from './row-problem-catalog.ts';
import { makeRowProblem, type ProblemList } from './row-problems.ts';

/** A row of an upload and where it stands. */
export interface NumberedRow {
  line: number;
  cells: RawPosition;
  /** The cells of columns that are not ours, joined: two rows that differ there are not equal in all columns. */
  extra: string;
}

/** Where the problems of a row go, and what they call its columns. */
export interface RowReport {
  labels: ColumnLabels;
  errors: ProblemList;
  warnings: ProblemList;
  /** Columns that the file does not have: their absence is reported once, not again for each row. */
  absent: ReadonlySet<ColumnName>;
}

/** One row while it is read: trimmed cells, and a note whether anything was wrong with it. */
export class Row {
  readonly line: number;
  readonly #cells: RawPosition;
  readonly #report: RowReport;
  #isSound = true;

  constructor({ line, cells }: NumberedRow, report: RowReport) {
    this.line = line;
    this.#cells = cells;
    this.#report = report;
  }

  /** No cell read so far was refused. */
  get isSound(): boolean {
    return this.#isSound;
  }

  /** A cell without the space around it; empty where there is none. */
  text(name: ColumnName): string {
    const cell: unknown = this.#cells[name];
    return typeof cell === 'string' ? cell.trim() : '';
  }

  /** The first option column that is filled. */
  filledOptionColumn(): ColumnName | undefined {
    return optionColumns.find((name) => this.text(name) !== '');
  }

  refuse(code: RowProblemCode, name: ColumnName, fix?: string | null): void {
    this.#isSound = false;
    const value = this.text(name);
    if (value === '' && this.#report.absent.has(name)) return;
    this.#report.errors.add(() => makeRowProblem(code, this.#place(name, value), fix));
  }

  warn(code: RowProblemCode, name: ColumnName): void {
    this.#report.warnings.add(() => makeRowProblem(code, this.#place(name, this.text(name))));
  }

  refuseRepeat(earlierLine: number): void {
    this.#isSound = false;
    const fix = `Row ${earlierLine} is the same. Sum the two into one row, or upload with allow_duplicates=true if both are meant.`;
    this.#report.errors.add(() =>
      makeRowProblem('ERR_POS_023', { line: this.line, relatedLine: earlierLine }, fix),
    );
  }

  #place(name: ColumnName, value: string) {
    return { line: this.line, column: this.#report.labels[name], value };
  }
}
