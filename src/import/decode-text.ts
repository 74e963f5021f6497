import type { RowProblemCode } from '../contract/row-problem-catalog.ts';
import type { ProblemPlace } from '../contract/row-problems.ts';

export const csvBytesMax = 10 * 1024 * 1024;

/** The text of a file, or why it has none. */
export type TextReading =
  | { text: string; problem: null }
  | { text: null; problem: { code: RowProblemCode; place?: ProblemPlace; fix?: string } };

/** Decodes a UTF-8 CSV. Removes a byte order mark; recognises workbooks, PDF and UTF-16 to give better advice. */
export function decodeText(bytes: Uint8Array): TextReading {
  if (bytes.length > csvBytesMax) return refused('ERR_CSV_001');
  const format = otherFormats.find(({ signature }) => signature.every((byte, at) => bytes[at] === byte));
  if (format) return refused(format.code, format.fix);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { text: null, problem: { code: 'ERR_CSV_005', place: { line: badLine(bytes) } } };
  }
  return text.includes('\0') ? refused('ERR_CSV_002') : { text, problem: null };
}

const refused = (code: RowProblemCode, fix?: string): TextReading => ({
  text: null,
  problem: { code, ...(fix && { fix }) },
});

const workbook =
  'It is a workbook: open it, save the sheet as "CSV UTF-8 (comma delimited)" and upload that.';
const utf16 = 'It is UTF-16 ("Unicode text"): save it again as "CSV UTF-8" and upload that.';

const otherFormats: { signature: number[]; code: RowProblemCode; fix?: string }[] = [
  { signature: [0x50, 0x4b, 0x03, 0x04], code: 'ERR_CSV_002', fix: workbook }, // zip: .xlsx, .ods, .numbers
  { signature: [0xd0, 0xcf, 0x11, 0xe0], code: 'ERR_CSV_002', fix: workbook }, // .xls
  { signature: [0x25, 0x50, 0x44, 0x46], code: 'ERR_CSV_002' }, // %PDF
  { signature: [0xff, 0xfe], code: 'ERR_CSV_005', fix: utf16 },
  { signature: [0xfe, 0xff], code: 'ERR_CSV_005', fix: utf16 },
];

/** The line of the first invalid byte, which a lenient decoder replaces. */
function badLine(bytes: Uint8Array): number {
  const lenient = new TextDecoder('utf-8').decode(bytes);
  return lenient.slice(0, lenient.indexOf('\ufffd')).split(/\r\n|\r|\n/).length;
}
