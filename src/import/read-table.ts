import { echo, makeRowProblem } from '../contract/row-problems.ts';
import type { Lot } from '../portfolio/lots.ts';
import { type ColumnName, columns, type Header, type RawPosition, readHeader } from './columns.ts';
import type { SheetRecord } from './csv-records.ts';
import type { NumberedRow, RowReport } from './row.ts';
import { type ValidationOptions, validateRows } from './validate-positions.ts';

export interface TableInput {
  rows: readonly SheetRecord[];
  /** False if a broken record ended the file early: then a lack of rows is not reported. */
  isWhole: boolean;
  report: RowReport & { absent: Set<ColumnName> };
  options: ValidationOptions;
}

/** Reads the records below a header into lots; reports what is wrong with the header and the rows. */
export function readTable(first: SheetRecord, { rows, isWhole, report, options }: TableInput): Lot[] {
  const { line, cells } = first;
  const header = readHeader(cells);
  const isHeader = header.places.length > 0;
  if (!isHeader && cells.length === 1) {
    report.errors.add(() =>
      makeRowProblem('ERR_CSV_002', { line, value: cells[0] ?? '' }, separatorAdvice(cells)),
    );
    return [];
  }
  reportHeader(header, { line, report });
  if (isWhole && rows.length === 0) report.errors.add(() => makeRowProblem('ERR_CSV_003'));
  // Without a header, problems of the rows would only repeat that.
  return isHeader ? validateRows(numberedRows(rows, header, report), { report, ...options }) : [];
}

function reportHeader(
  header: Header,
  { line, report }: { line: number; report: TableInput['report'] },
): void {
  for (const { title } of header.repeated) {
    const fix = 'The column occurs twice. Remove or rename one of the two.';
    report.errors.add(() => makeRowProblem('ERR_CSV_006', { line, column: title, value: title }, fix));
  }
  for (const column of header.missing)
    report.errors.add(() => makeRowProblem('ERR_CSV_004', { line, column }));
  for (const { title } of header.unknown) {
    report.warnings.add(() => makeRowProblem('WARN_CSV_001', { line, column: echo(title), value: title }));
  }
  for (const { name } of columns) report.absent.add(name);
  for (const { name } of header.places) report.absent.delete(name);
}

function* numberedRows(
  records: readonly SheetRecord[],
  header: Header,
  report: RowReport,
): Generator<NumberedRow> {
  const isNamed = namedPlaces(header);
  for (const { line, cells } of records) {
    const misfit = misfitOf(cells, { header, isNamed });
    if (misfit) {
      report.errors.add(() => makeRowProblem('ERR_CSV_006', { line, value: misfit.value }, misfit.fix));
      continue;
    }
    const position: { [name in ColumnName]?: string } = {};
    for (const { name, index } of header.places) position[name] = cells[index] ?? '';
    const extra = header.unknown.map(({ index }) => (cells[index] ?? '').trim());
    yield {
      line,
      cells: position satisfies RawPosition,
      extra: extra.length > 0 ? JSON.stringify(extra) : '',
    };
  }
}

const namedPlaces = ({ places, unknown, repeated }: Header): ReadonlySet<number> =>
  new Set([...places, ...unknown, ...repeated].map(({ index }) => index));

/** Why a row does not match its header: cells are missing, or a cell has no column. */
function misfitOf(
  cells: readonly string[],
  { header, isNamed }: { header: Header; isNamed: ReadonlySet<number> },
): { value: string; fix: string } | null {
  if (cells.length < header.width) {
    const fix = `It has ${cells.length} cells, but the header has ${header.width}. Write a comma for each empty cell.`;
    return { value: cells.join(','), fix };
  }
  const stray = cells.find((cell, index) => !isNamed.has(index) && cell.trim() !== '');
  if (stray === undefined) return null;
  return {
    value: stray,
    fix:
      'It has a value without a column. Put values with a comma in double quotes, and write numbers without thousands ' +
      'separators.',
  };
}

const separators = new Map([
  [';', 'semicolons'],
  ['\t', 'tabs'],
  ['|', 'bars'],
]);

/** Advice if the columns are separated by something else, as in many European spreadsheets. */
function separatorAdvice([header = '']: readonly string[]): string | null {
  for (const [separator, name] of separators) {
    const { places } = readHeader(header.split(separator));
    if (places.length === 0) continue;
    return `Its cells are separated by ${name}. Save it with commas, and with a point as decimal separator.`;
  }
  return null;
}
