import { makeRowProblem, type RowProblem } from '../contract/row-problems.ts';
import type { Lot } from '../portfolio/lots.ts';
import { type ColumnName, jsonLabels, type RawPosition } from './columns.ts';
import { errorList, type ProblemList, warningList } from './problem-list.ts';
import { readLot } from './read-lot.ts';
import { type NumberedRow, Row, type RowReport } from './row.ts';

export interface ValidationOptions {
  /** Later dates are in the future, `YYYY-MM-DD`. */
  today: string;
  /** ISO 4217 code of the portfolio's currency. */
  baseCurrency: string;
  /** Accept rows that are equal in all columns. */
  allowDuplicates?: boolean;
}

/** All lots of an upload, or all its problems: one of the two is null. Both may have warnings. */
export type PortfolioReading =
  | { lots: Lot[]; problems: null; warnings: RowProblem[] }
  | { lots: null; problems: RowProblem[]; warnings: RowProblem[] };

/**
 * Validates the rows of a JSON upload by the rules of a CSV (SPEC section 4).
 *
 * Reports all errors of all rows at once. Problems have the place of the row from 1 and the JSON name of the column.
 * Above 10,000 problems the last entry has the number of the others. Cells that are not strings read as empty.
 *
 *     validatePositions([{ symbol: 'aapl', quantity: '10', entry_price: '172.40', entry_date: '2025-06-30' }],
 *       { today: '2026-07-31', baseCurrency: 'USD' }).lots   // one lot of AAPL
 */
export function validatePositions(
  rows: readonly RawPosition[],
  options: ValidationOptions,
): PortfolioReading {
  const report = { labels: jsonLabels, errors: errorList(), warnings: warningList(), absent: noColumns };
  if (rows.length === 0) report.errors.add(() => makeRowProblem('ERR_CSV_003'));
  const numbered = rows.map((cells, index) => ({ line: index + 1, cells, extra: '' }));
  return readingOf(validateRows(numbered, { report, ...options }), report);
}

const noColumns: ReadonlySet<ColumnName> = new Set();

/** Validates rows of a CSV or of JSON. Adds to a report that may have problems of the file already. */
export function validateRows(
  rows: Iterable<NumberedRow>,
  { report, today, baseCurrency, allowDuplicates = false }: ValidationOptions & { report: RowReport },
): Lot[] {
  const lots: Lot[] = [];
  const firstLines = new Map<string, number>();
  for (const numbered of rows) {
    const row = new Row(numbered, report);
    const lot = readLot(row, today);
    const key = `${lot ? lotKey(lot) : rawKey(numbered.cells)}\n${numbered.extra}`;
    const earlier = firstLines.get(key);
    if (earlier === undefined) firstLines.set(key, row.line);
    else if (!allowDuplicates) row.refuseRepeat(earlier);
    if (lot) lots.push(lot);
  }
  warnAboutCurrencies(lots, { baseCurrency, report });
  return lots;
}

/** The lots if there are no errors at all. */
export const readingOf = (
  lots: Lot[],
  { errors, warnings }: { errors: ProblemList; warnings: ProblemList },
): PortfolioReading =>
  errors.isEmpty
    ? { lots, problems: null, warnings: warnings.all() }
    : { lots: null, problems: errors.all(), warnings: warnings.all() };

// Compares values, not spellings: 10 and 10.00 are the same quantity.
const lotKey = (lot: Lot): string => JSON.stringify({ ...lot, line: 0 });
const rawKey = (cells: RawPosition): string => JSON.stringify(Object.entries(cells));

function warnAboutCurrencies(
  lots: readonly Lot[],
  { baseCurrency, report }: { baseCurrency: string; report: RowReport },
): void {
  const foreign = new Map<string, { line: number; count: number }>();
  for (const { currency, line } of lots) {
    if (currency === null || currency === baseCurrency) continue;
    const seen = foreign.get(currency);
    if (seen) seen.count += 1;
    else foreign.set(currency, { line, count: 1 });
  }
  for (const [currency, seen] of foreign) {
    const column = report.labels.currency;
    report.warnings.add(() => foreignWarning({ currency, ...seen, column }, baseCurrency));
  }
}

/** The warning about lots in another currency than the portfolio; `line` is that of the first. */
export function foreignWarning(
  {
    currency,
    count,
    line,
    column = null,
  }: { currency: string; count: number; line: number; column?: string | null },
  baseCurrency: string,
): RowProblem {
  const lots = count === 1 ? 'One lot is' : `${count} lots are`;
  const fix = `${lots} in ${currency}, the portfolio is in ${baseCurrency}. Values are converted at the exchange rates of their dates, and missing_fx while a rate is missing.`;
  return makeRowProblem('WARN_POS_003', { line, column, value: currency }, fix);
}
