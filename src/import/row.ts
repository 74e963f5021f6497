import type { RowProblemCode } from '../contract/row-problem-catalog.ts';
import { makeRowProblem } from '../contract/row-problems.ts';
import { type ColumnLabels, type ColumnName, optionColumns, type RawPosition } from './columns.ts';
import type { ProblemList } from './problem-list.ts';

/** A row of an upload with its number. */
export interface NumberedRow {
  line: number;
  cells: RawPosition;
  /** The cells of unknown columns, joined: rows that differ there are not duplicates. */
  extra: string;
}

/** Collects the problems of rows, and has the names of their columns. */
export interface RowReport {
  labels: ColumnLabels;
  errors: ProblemList;
  warnings: ProblemList;
  /** Columns that the file lacks: reported once, not for each row. */
  absent: ReadonlySet<ColumnName>;
}

/** A row that is being read: trimmed cells, and whether any was refused. */
export class Row {
  readonly line: number;
  readonly #cells: RawPosition;
  readonly #report: RowReport;
  #isValid = true;

  constructor({ line, cells }: NumberedRow, report: RowReport) {
    this.line = line;
    this.#cells = cells;
    this.#report = report;
  }

  /** No cell read so far was refused. */
  get isValid(): boolean {
    return this.#isValid;
  }

  /** A trimmed cell; empty if it is absent. */
  text(name: ColumnName): string {
    const cell: unknown = this.#cells[name];
    return typeof cell === 'string' ? cell.trim() : '';
  }

  /** The first option column that is filled in. */
  filledOptionColumn(): ColumnName | undefined {
    return optionColumns.find((name) => this.text(name) !== '');
  }

  refuse(code: RowProblemCode, name: ColumnName, fix?: string | null): void {
    this.#isValid = false;
    const value = this.text(name);
    if (value === '' && this.#report.absent.has(name)) return;
    this.#report.errors.add(() => makeRowProblem(code, this.#place(name, value), fix));
  }

  warn(code: RowProblemCode, name: ColumnName): void {
    this.#report.warnings.add(() => makeRowProblem(code, this.#place(name, this.text(name))));
  }

  refuseRepeat(earlierLine: number): void {
    this.#isValid = false;
    const fix = `Merge it with row ${earlierLine}. If both are correct, upload with allow_duplicates=true.`;
    this.#report.errors.add(() =>
      makeRowProblem('ERR_POS_023', { line: this.line, relatedLine: earlierLine }, fix),
    );
  }

  #place(name: ColumnName, value: string) {
    return { line: this.line, column: this.#report.labels[name], value };
  }
}
