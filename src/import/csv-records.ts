import { CsvError, parse } from 'csv-parse/sync';

/** A record of a CSV and its row number in a spreadsheet. */
export interface SheetRecord {
  line: number;
  cells: string[];
}

export interface Records {
  /** Records without blank lines and comments. */
  records: SheetRecord[];
  /** Where the text is not valid CSV; the rows after it are not read. */
  broken: { line: number; fix: string } | null;
  /** There are more than `max` records; the rest is not read. */
  isCut: boolean;
}

const recordLengthMax = 65_536; // characters; a longer one has a quote that is never closed
const blankRowsMax = 10_000; // rows of only commas are not records, but parsing millions of them would take minutes

/** Splits a text by RFC 4180 into at most `max` records; stops at the first broken one. */
export function readRecords(text: string, max: number): Records {
  const records: SheetRecord[] = [];
  let seen = 0;
  let broken: Records['broken'] = null;
  const seenMax = max + blankRowsMax;
  const overlong = overlongLine(text);
  if (overlong !== null) return { records, broken: { line: overlong, fix: tooLong }, isCut: false };
  try {
    parse(text, {
      comment: '#',
      comment_no_infix: true,
      skip_empty_lines: true,
      relax_column_count: true,
      // Auto-detection would use the ending of the first line for all lines.
      record_delimiter: ['\r\n', '\n', '\r'],
      max_record_size: recordLengthMax,
      to: seenMax + 1,
      on_record: (cells: string[], info) => {
        seen += 1;
        const line = info.records + info.comment_lines + info.empty_lines;
        if (records.length <= max && !isBlank(cells)) records.push({ line, cells });
        return null;
      },
    });
  } catch (error) {
    broken = brokenAt(error);
  }
  const isCut = records.length > max || seen > seenMax;
  return { records: records.slice(0, max), broken, isCut };
}

/** Empty, or a comment that a spreadsheet saved in quotes or with commas after it. */
const isBlank = (cells: readonly string[]): boolean =>
  cells[0]?.trimStart().startsWith('#') || cells.every((cell) => cell.trim() === '');

/** The first line that is longer than a record may be. The parser would split ten million commas before it fails. */
function overlongLine(text: string): number | null {
  let start = 0;
  let line = 1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code !== 10 && code !== 13) {
      if (at - start >= recordLengthMax) return line;
      continue;
    }
    if (code !== 10 || text.charCodeAt(at - 1) !== 13) line += 1;
    start = at + 1;
  }
  return null;
}

function brokenAt(error: unknown): { line: number; fix: string } {
  if (!(error instanceof CsvError)) throw error;
  const { records = 0, comment_lines = 0, empty_lines = 0 } = error as Partial<Record<string, number>>;
  return { line: records + comment_lines + empty_lines + 1, fix: fixes[error.code] ?? unclosed };
}

const notRead = 'The rows after it were not read.';
const unclosed = `A quote (") is never closed: close it, or double it if it is part of the value. ${notRead}`;
const stray = `A quote (") is inside a value: put the whole value in quotes and double that quote. ${notRead}`;

const tooLong = `It is longer than 65,536 characters: probably a quote (") is never closed. ${notRead}`;

const fixes: Record<string, string> = {
  INVALID_OPENING_QUOTE: stray,
  CSV_INVALID_CLOSING_QUOTE: stray,
  CSV_MAX_RECORD_SIZE: tooLong,
};
