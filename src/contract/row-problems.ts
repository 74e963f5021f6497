import { type RowProblemCode, rowProblemCatalog } from './row-problem-catalog.ts';

/** An error or a warning about one cell of an upload. */
export interface RowProblem {
  /** The row number of a spreadsheet, or the place in a JSON list from 1; null for the whole file. */
  line: number | null;
  /** The column by the name in the upload; null for the whole row. */
  column: string | null;
  /** The content of the cell, shortened and without control characters; null if it is not about a cell. */
  value: string | null;
  code: RowProblemCode;
  /** What is wrong, and how to fix it. */
  message: string;
  /** The earlier row that is equal. */
  relatedLine?: number;
}

export interface ProblemPlace {
  line?: number | null;
  column?: string | null;
  value?: string | null;
  relatedLine?: number;
}

/** A problem with the texts of the catalog; `fix` replaces the general advice by one for the value. */
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

const echoLengthMax = 80; // enough to recognise a cell, short enough for a log line

/**
 * A value for a problem: at most 80 characters, without control, bidirectional or broken characters, which could forge
 * log lines or reverse a message.
 */
export function echo(text: string): string {
  const cut = text.length > echoLengthMax;
  const shown = cut ? text.slice(0, echoLengthMax - 1) : text;
  const safe = shown.toWellFormed().replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '\ufffd');
  return cut ? `${safe}…` : safe;
}
