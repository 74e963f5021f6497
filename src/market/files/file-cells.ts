import type { RawNumber } from '../bars.ts';

/** One row of a CSV file, where it stands, and its cells without surrounding space. */
export interface FileRow {
  /** As an editor counts, from 1. */
  line: number;
  cells: readonly string[];
}

/** What is wrong with a file, in one sentence that names file and line: `AAPL.csv line 17: expected …, got: "abc"`. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';

  constructor(file: string, line: number, expected: string, got: string) {
    super(`${file} line ${line}: expected ${expected}, got: ${JSON.stringify(got.slice(0, 60))}`);
  }
}

/** The places of known columns in a header, whatever its case, spaces and underscores; others are ignored. */
export function columnsIn<Name extends string>(
  header: readonly string[],
  names: Readonly<Record<Name, readonly string[]>>,
): Partial<Record<Name, number>> {
  const plain = header.map((cell) => cell.toLowerCase().replaceAll(/[^a-z]/g, ''));
  const places = Object.entries<readonly string[]>(names).flatMap(([name, spellings]) => {
    const place = plain.findIndex((cell) => spellings.includes(cell));
    return place < 0 ? [] : [[name, place] as const];
  });
  return Object.fromEntries(places) as Partial<Record<Name, number>>;
}

const emptyCells = ['', '-', 'null', 'nan', 'na', 'n/a', '#n/a'];

/** Whether a cell says that there is no value. */
export const isEmptyCell = (cell: string): boolean => emptyCells.includes(cell.toLowerCase());

/**
 * A number as written: plain digits with a decimal point, a minus and an exponent allowed. Null where the cell is
 * empty, undefined where it is no number.
 *
 * A text of more than 15 digits is a double that somebody printed, and treated as one; a shorter one is kept as it is.
 */
export function readNumber(cell: string): RawNumber {
  if (isEmptyCell(cell)) return null;
  if (!/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(cell)) return undefined;
  const isPrinted = /e/i.test(cell) || cell.replaceAll(/[^\d]/g, '').replace(/^0+/, '').length > 15;
  return isPrinted || !/^\d+(\.\d+)?$/.test(cell) ? Number(cell) : cell;
}

/** The day that a cell begins with, `YYYY-MM-DD`; null where it is none. A time of day behind it is ignored. */
export function readDate(cell: string): string | null {
  const date = /^(\d{4}-\d{2}-\d{2})(?:[T ].*)?$/.exec(cell)?.[1];
  if (date === undefined) return null;
  const time = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== date ? null : date;
}
