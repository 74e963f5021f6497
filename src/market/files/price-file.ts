import type { RawBar, RawNumber } from '../bars.ts';
import { decimalOf, movePoint } from '../decimals.ts';
import { majorUnit } from '../minor-units.ts';
import type { CorporateAction } from '../provider.ts';
import { columnsIn, FileProblem, type FileRow, isEmptyCell, readDate, readNumber } from './file-cells.ts';

const spellings = {
  date: ['date', 'day'],
  open: ['open'],
  high: ['high'],
  low: ['low'],
  close: ['close', 'closelast'],
  adjustedClose: ['adjustedclose', 'adjclose', 'closeadj'],
  volume: ['volume'],
  split: ['split', 'splits', 'stocksplits'],
  dividend: ['dividend', 'dividends'],
} as const;
type Column = keyof typeof spellings;

export interface PriceFile {
  rows: RawBar[];
  /** In the unit of the file: in pence if its closes are. */
  actions: CorporateAction[];
}

/**
 * Reads the file of one symbol row by row: a header with `date` and `close`, in any order and case, then one row per
 * day in any order. Throws a `FileProblem` at the first invalid row; an empty close is allowed.
 *
 *     const file = priceFileReader('AAPL.csv');
 *     file.add({ line: 1, cells: ['Date', 'Close'] });
 *     file.add({ line: 2, cells: ['2026-07-30', '239.65'] });
 *     file.end().rows   // [{ date: '2026-07-30', close: '239.65', … }]
 */
export function priceFileReader(file: string): { add(row: FileRow): void; end(): PriceFile } {
  let places: Partial<Record<Column, number>> | null = null;
  const rows: RawBar[] = [];
  const actions: CorporateAction[] = [];
  return {
    add(row) {
      if (places === null) {
        places = columnsIn(row.cells, spellings);
        if (places.date === undefined || places.close === undefined) {
          throw new FileProblem(
            file,
            row.line,
            'a header with the columns date and close',
            row.cells.join(','),
          );
        }
        return;
      }
      const { bar, events } = readRow(file, row, places);
      rows.push(bar);
      actions.push(...events);
    },
    end() {
      if (places === null) throw new FileProblem(file, 1, 'a header with the columns date and close', '');
      return { rows, actions };
    },
  };
}

function readRow(
  file: string,
  { line, cells }: FileRow,
  places: Partial<Record<Column, number>>,
): { bar: RawBar; events: CorporateAction[] } {
  const cell = (column: Column) => cells[places[column] ?? -1] ?? '';
  const refuse = (expected: string, got: string): never => {
    throw new FileProblem(file, line, expected, got);
  };
  const number = (column: Column): RawNumber => {
    const value = readNumber(cell(column));
    return value === undefined
      ? refuse(`${column} to be a number such as 239.65, or empty`, cell(column))
      : value;
  };
  const price = (column: 'close' | 'adjustedClose'): RawNumber => {
    const value = number(column);
    return value === null || Number(value) > 0
      ? value
      : refuse(`${column} to be a price > 0, or empty`, cell(column));
  };
  const date = readDate(cell('date')) ?? refuse('the date to be a day such as 2026-07-30', cell('date'));
  const adjusted = price('adjustedClose');
  const bar: RawBar = {
    date,
    open: number('open'),
    high: number('high'),
    low: number('low'),
    close: price('close'),
    adjustedClose: adjusted == null ? null : Number(adjusted),
    volume: number('volume'),
  };
  return { bar, events: [...splitIn(date, cell('split'), refuse), ...dividendIn(date, number('dividend'))] };
}

/** `10`, `10:1` and `10/1` mean ten new shares for one old; 0 and 1 mean no split. */
function splitIn(
  date: string,
  cell: string,
  refuse: (expected: string, got: string) => never,
): CorporateAction[] {
  if (isEmptyCell(cell)) return [];
  const [, first, second = '1'] = /^(\d+(?:\.\d+)?)(?:[:/](\d+(?:\.\d+)?))?$/.exec(cell) ?? [];
  const [numerator, denominator] = [Number(first), Number(second)];
  if (numerator === 0 || numerator === denominator) return [];
  if (!(numerator > 0 && denominator > 0)) refuse('the split to be a ratio such as 10:1, or empty', cell);
  return [{ date, kind: 'split', numerator, denominator }];
}

function dividendIn(date: string, value: RawNumber): CorporateAction[] {
  if (value == null || !(Number(value) > 0)) return [];
  const amount = typeof value === 'number' ? decimalOf(value) : movePoint(value, 0);
  return [{ date, kind: 'dividend', amount }];
}

/** The events of a range, dividends in the major currency. */
export function actionsWithin(
  actions: readonly CorporateAction[],
  { from, to, quoteUnit }: { from: string; to: string; quoteUnit: string | null },
): CorporateAction[] {
  const { places } = majorUnit(quoteUnit ?? '');
  return actions
    .filter(({ date }) => date >= from && date <= to)
    .map((action) =>
      action.kind === 'dividend' ? { ...action, amount: movePoint(action.amount, -places) } : action,
    )
    .sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}
