import { makeRowProblem } from '../contract/row-problems.ts';
import { type ColumnName, csvLabels } from './columns.ts';
import { readRecords } from './csv-records.ts';
import { decodeText } from './decode-text.ts';
import { errorList, warningList } from './problem-list.ts';
import { readTable } from './read-table.ts';
import { type PortfolioReading, readingOf, type ValidationOptions } from './validate-positions.ts';

export const csvRowsMax = 50_000;

/**
 * Reads a portfolio CSV: every lot of it, or every problem at once (SPEC section 4). Never throws, whatever the bytes.
 *
 * Problems have the row number of a spreadsheet: blank lines and comments count, line breaks inside quotes do not. After
 * a broken quote rows cannot be separated, so only those before it are read.
 *
 *     parsePortfolioCsv(bytes, { today: '2026-07-31', baseCurrency: 'USD' }).problems
 *     // [{ line: 4, column: 'Symbol', value: 'VT MGX', code: 'ERR_POS_003', … }]
 */
export function parsePortfolioCsv(bytes: Uint8Array, options: ValidationOptions): PortfolioReading {
  const report = {
    labels: csvLabels,
    errors: errorList(),
    warnings: warningList(),
    absent: new Set<ColumnName>(),
  };
  const { text, problem } = decodeText(bytes);
  if (problem) {
    report.errors.add(() => makeRowProblem(problem.code, problem.place, problem.fix));
    return readingOf([], report);
  }
  const { records, broken, isCut } = readRecords(text, csvRowsMax + 1);
  if (isCut) {
    // Problems of a part of the file would not help: it has to be split first.
    report.errors.add(() => makeRowProblem('ERR_CSV_001'));
    return readingOf([], report);
  }
  if (broken) report.errors.add(() => makeRowProblem('ERR_CSV_006', { line: broken.line }, broken.fix));
  const [first, ...rows] = records;
  if (first) return readingOf(readTable(first, { rows, isWhole: broken === null, report, options }), report);
  if (!broken) report.errors.add(() => makeRowProblem('ERR_CSV_003'));
  return readingOf([], report);
}
