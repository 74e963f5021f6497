/**
 * One cell of a CSV that we write: protected against CSV injection, then quoted as in RFC 4180.
 *
 * A text that a spreadsheet would evaluate as a formula gets a leading apostrophe, which spreadsheets hide. Plain decimal
 * numbers are not changed, also negative ones.
 *
 *     csvCell('=HYPERLINK("x")')   // `"'=HYPERLINK(""x"")"`
 *     csvCell('-850')              // '-850'
 */
export function csvCell(text: string): string {
  const safe = isFormulaLike(text) && !plainNumber.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$|^#/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** One row of a CSV that we write, without line end. */
export const csvRow = (cells: readonly string[]): string => cells.map(csvCell).join(',');

/**
 * Whether a spreadsheet may evaluate a cell as a formula: it begins with = + - @ or a tab, possibly after spaces, or with
 * one of the full-width forms that some accept.
 */
export const isFormulaLike = (text: string): boolean => /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/.test(text);

const plainNumber = /^-\d+(\.\d+)?$/;
