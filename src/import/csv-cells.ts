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
