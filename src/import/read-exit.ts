import type { Lot } from '../portfolio/lots.ts';
import { readDay } from './read-date.ts';
import { type RowClass, readNumber } from './read-fields.ts';
import type { Row } from './row.ts';

/** Exit date and price of a lot. The price of cash is always 1 and may be empty. */
export function readExit(
  row: Row,
  { rowClass, entryDate, today }: { rowClass: RowClass; entryDate: string; today: string },
): Pick<Lot, 'exitDate' | 'exitPrice'> {
  const exitDate = readExitDate(row, entryDate, today);
  const exitPrice = readNumber(row, 'exit_price', {
    missing: null,
    not_a_number: 'ERR_POS_032',
    too_many_decimals: 'ERR_POS_033',
  });
  if (exitPrice?.startsWith('-')) row.refuse('ERR_POS_032', 'exit_price');
  if (rowClass.investmentClass === 'CASH' && exitPrice !== null && exitPrice !== '1') {
    row.refuse('ERR_POS_037', 'exit_price');
  }
  if (row.text('exit_price') !== '' && row.text('exit_date') === '') row.refuse('ERR_POS_031', 'exit_price');
  const isCashSold = rowClass.investmentClass === 'CASH' && exitDate !== null;
  return { exitDate, exitPrice: exitPrice ?? (isCashSold ? '1' : null) };
}

function readExitDate(row: Row, entryDate: string, today: string): string | null {
  const text = row.text('exit_date');
  if (text === '') return null;
  const { value, fix } = readDay(text);
  if (value === null) row.refuse('ERR_POS_028', 'exit_date', fix);
  else if (value > today) row.refuse('ERR_POS_029', 'exit_date');
  else if (value < entryDate) row.refuse('ERR_POS_030', 'exit_date');
  return value;
}
