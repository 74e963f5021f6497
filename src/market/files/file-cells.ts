import type { RawNumber } from '../bars.ts';

/** One row of a CSV file: its line and its trimmed cells. */
export interface FileRow {
  /** Line number, from 1. */
  line: number;
  cells: readonly string[];
}

/** What is wrong with a file, with file name and line: `AAPL.csv line 17: expected …, got: "abc"`. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';

  constructor(file: string, line: number, expected: string, got: string) {
    super(`${file} line ${line}: expected ${expected}, got: ${JSON.stringify(got.slice(0, 60))}`);
  }
}

/** Indexes of the known columns in a header. Ignores case, spaces, underscores and unknown columns. */
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

/** Whether a cell has no value. */
export const isEmptyCell = (cell: string): boolean => emptyCells.includes(cell.toLowerCase());

/**
 * Reads a number: digits with an optional decimal point, minus and exponent. Null for an empty cell, undefined for a
 * cell that is not a number.
 *
 * A text of more than 15 digits was printed from a double and becomes one; a shorter text is kept unchanged.
 */
export function readNumber(cell: string): RawNumber {
  if (isEmptyCell(cell)) return null;
  if (!/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(cell)) return undefined;
  const isPrinted = /e/i.test(cell) || cell.replaceAll(/[^\d]/g, '').replace(/^0+/, '').length > 15;
  return isPrinted || !/^\d+(\.\d+)?$/.test(cell) ? Number(cell) : cell;
}

/** Reads the date at the start of a cell, `YYYY-MM-DD`; null if there is none. Ignores a time of day after it. */
export function readDate(cell: string): string | null {
  const date = /^(\d{4}-\d{2}-\d{2})(?:[T ].*)?$/.exec(cell)?.[1];
  if (date === undefined) return null;
  const time = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== date ? null : date;
}
