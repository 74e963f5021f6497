import type { RowProblemCode } from '../contract/row-problem-catalog.ts';
import { readCurrency } from '../market/currency.ts';
import { type InvestmentClass, investmentClasses } from '../portfolio/lots.ts';
import type { ColumnName } from './columns.ts';
import { centuryBefore, readDay } from './read-date.ts';
import { type DecimalFlaw, readDecimal } from './read-decimal.ts';
import type { Row } from './row.ts';
import { investmentSubtypes, subtypeAdvice, subtypeOf } from './subtypes.ts';

/** The investment class of a row: named, or implied by its columns. */
export interface RowClass {
  investmentClass: InvestmentClass;
  /** False if the row names no class or an unknown one. */
  isNamed: boolean;
  /** False if the named class is unknown: then rules that depend on it are not applied. */
  isKnown: boolean;
}

export function readClass(row: Row): RowClass {
  const text = row.text('investment_class').toUpperCase();
  const named = investmentClasses.find((known) => known === text);
  if (named) return { investmentClass: named, isNamed: true, isKnown: true };
  if (text !== '') row.refuse('ERR_POS_016', 'investment_class');
  const implied = row.filledOptionColumn() ? 'OPTIONS' : 'PUBLIC';
  return { investmentClass: implied, isNamed: false, isKnown: text === '' };
}

export function readSubtype(row: Row, { investmentClass, isKnown }: RowClass): string | null {
  const subtype = subtypeOf(row.text('investment_subtype'));
  if (subtype === '' || !isKnown) return null;
  const fits = investmentSubtypes[investmentClass].includes(subtype);
  const contradicts = ['CALL', 'PUT'].includes(subtype) && subtype !== row.text('option_type').toUpperCase();
  if (!fits) row.refuse('ERR_POS_017', 'investment_subtype', subtypeAdvice(subtype, investmentClass));
  else if (contradicts)
    row.refuse('ERR_POS_017', 'investment_subtype', 'Write the same as in the option type.');
  return subtype;
}

export function readQuantity(row: Row): string {
  const quantity = readNumber(row, 'quantity', {
    missing: 'ERR_POS_004',
    not_a_number: 'ERR_POS_005',
    too_many_decimals: 'ERR_POS_007',
  });
  if (quantity === '0') row.refuse('ERR_POS_006', 'quantity');
  return quantity ?? '';
}

/** The price of one share. The price of cash is always 1 and may be empty. */
export function readEntryPrice(row: Row, { investmentClass }: RowClass): string {
  const isCash = investmentClass === 'CASH';
  if (isCash && row.text('entry_price') === '') return '1';
  const price = readNumber(row, 'entry_price', {
    missing: 'ERR_POS_008',
    not_a_number: 'ERR_POS_009',
    too_many_decimals: 'ERR_POS_011',
  });
  if (price === null) return '';
  if (isCash && price !== '1') row.refuse('ERR_POS_037', 'entry_price');
  else if (!isPositive(price)) row.refuse('ERR_POS_010', 'entry_price');
  return price;
}

export const isPositive = (decimal: string): boolean => decimal !== '0' && !decimal.startsWith('-');

export function readEntryDate(row: Row, today: string): string {
  const text = row.text('entry_date');
  if (text === '') {
    row.refuse('ERR_POS_012', 'entry_date');
    return '';
  }
  const { value, fix } = readDay(text);
  if (value === null) row.refuse('ERR_POS_013', 'entry_date', fix);
  else if (value > today) row.refuse('ERR_POS_014', 'entry_date');
  else if (value < centuryBefore(today)) row.refuse('ERR_POS_015', 'entry_date');
  return value ?? '';
}

/** The currency of the row's prices, and their minor unit, if any. */
export function readPriceUnit(
  row: Row,
  { investmentClass, symbol }: { investmentClass: InvestmentClass; symbol: string },
): { currency: string | null; quoteUnit: string | null } {
  const text = row.text('currency');
  const unit = text === '' ? null : readCurrency(text);
  if (text !== '' && unit === null) row.refuse('ERR_POS_038', 'currency');
  if (investmentClass !== 'CASH') return unit ?? { currency: null, quoteUnit: null };
  if (unit && symbol !== '' && (unit.currency !== symbol || unit.quoteUnit))
    row.refuse('ERR_POS_039', 'currency');
  return { currency: symbol, quoteUnit: null };
}

/** The canonical text of a number, or null after reporting what is wrong. */
export function readNumber(
  row: Row,
  name: ColumnName,
  codes: { missing: RowProblemCode | null } & Record<Exclude<DecimalFlaw, 'too_many_digits'>, RowProblemCode>,
): string | null {
  const text = row.text(name);
  if (text === '') {
    if (codes.missing) row.refuse(codes.missing, name);
    return null;
  }
  const reading = readDecimal(text);
  if (reading.flaw === null) return reading.value;
  row.refuse(reading.flaw === 'too_many_digits' ? 'ERR_POS_040' : codes[reading.flaw], name, reading.fix);
  return null;
}
