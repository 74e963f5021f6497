/**
 * One cell of a CSV that we write: neutralised, then quoted where RFC 4180 asks for it.
 *
 * A text that a spreadsheet would take for a formula gets an apostrophe in front, which spreadsheets hide and do not
 * evaluate. Plain decimal numbers stay as they are, negative ones too.
 *
 *     csvCell('=HYPERLINK("x")')   // `"'=HYPERLINK(""x"")"`
 *     csvCell('-850')              // '-850'
 */
export function csvCell(text: string): string {
  const safe = isFormulaLike(text) && !plainNumber.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$|^#/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** One row of a CSV that we write, without its line end. */
export const csvRow = (cells: readonly string[]): string => cells.map(csvCell).join(',');

/**
 * Whether a spreadsheet may take a cell for a formula: it begins with = + - @ or a tab, perhaps after spaces, or with
 * one of the full-width forms that some of them accept.
 */
export const isFormulaLike = (text: string): boolean => /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/.test(text);

const plainNumber = /^-\d+(\.\d+)?$/;

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
