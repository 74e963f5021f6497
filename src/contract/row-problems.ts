import { type ProblemCode, problemCatalog } from './row-problem-catalog.ts';

/** One thing wrong, or remarkable, about one cell of an upload. */
export interface Problem {
  /** The row as a spreadsheet numbers it, or the place in a JSON list from 1; null where the whole file is meant. */
  line: number | null;
  /** The column under the name that the upload used, null where the whole row is meant. */
  column: string | null;
  /** What the cell held, shortened and without control characters; null where no cell is meant. */
  value: string | null;
  code: ProblemCode;
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
export function makeProblem(code: ProblemCode, place: ProblemPlace = {}, mend?: string | null): Problem {
  const { title, mend: advice } = problemCatalog[code];
  const { line = null, column = null, value = null, relatedLine } = place;
  return {
    line,
    column,
    value: value === null ? null : echo(value),
    code,
    message: `${title}. ${mend ?? advice}`,
    ...(relatedLine === undefined ? {} : { relatedLine }),
  };
}

const echoLengthMax = 80; // enough to recognise a cell, short enough for a log line

/**
 * A value as problems show it: at most 80 characters, and no control, direction-changing or broken characters,
 * which could forge a line of a log or turn a message around.
 */
export function echo(text: string): string {
  const cut = text.length > echoLengthMax;
  const shown = cut ? text.slice(0, echoLengthMax - 1) : text;
  const safe = shown.toWellFormed().replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '\ufffd');
  return cut ? `${safe}…` : safe;
}
