import { CsvError, parse } from 'csv-parse/sync';

/** A record of a CSV and the row in which a spreadsheet shows it. */
export interface SheetRecord {
  line: number;
  cells: string[];
}

export interface Records {
  /** Records that hold something: no blank lines, no comments. */
  records: SheetRecord[];
  /** Where the text stops being CSV; what comes behind it could not be read. */
  broken: { line: number; fix: string } | null;
  /** More records than asked for: the rest was not read. */
  isCut: boolean;
}

const recordLengthMax = 65_536; // characters; a longer one is a quote that was never closed
const blankRowsMax = 10_000; // rows of nothing but commas are no records, but millions of them would take minutes

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
      // Listed, because the automatic choice takes the first line's ending for all of them.
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

/** Nothing in it, or a comment that a spreadsheet saved in quotes or with commas behind it. */
const isBlank = (cells: readonly string[]): boolean =>
  cells[0]?.trimStart().startsWith('#') || cells.every((cell) => cell.trim() === '');

/** The first line that no record can hold. The parser would split ten million commas before it said so. */
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

const notRead = 'The rows behind it were not read.';
const unclosed = `A quote (") is opened and never closed: close it, or double it if it belongs to the value. ${notRead}`;
const stray = `A quote (") stands inside a value: put the whole value in quotes and double that one. ${notRead}`;

const tooLong = `It is longer than 65,536 characters, as if a quote (") were opened and never closed. ${notRead}`;

const fixes: Record<string, string> = {
  INVALID_OPENING_QUOTE: stray,
  CSV_INVALID_CLOSING_QUOTE: stray,
  CSV_MAX_RECORD_SIZE: tooLong,
};
