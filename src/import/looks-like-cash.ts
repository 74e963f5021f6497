import { isCurrency } from '../market/currency.ts';
import { readDecimal } from './read-decimal.ts';
import type { Row } from './row.ts';

/** CASH and USD are listed symbols, but also brokers' names for cash, which is likely if the price is exactly 1. */
export function looksLikeCash(row: Row): boolean {
  const symbol = row.text('symbol').toUpperCase();
  if (symbol !== 'CASH' && !isCurrency(symbol) && !symbol.endsWith('**')) return false;
  return readDecimal(row.text('entry_price')).value === '1';
}

/** Both ways to write the row: as cash, and as the listed symbol. */
export function cashAdvice(text: string): string {
  const symbol = text.toUpperCase().replace(/\*+$/, '');
  const currency = isCurrency(symbol) ? symbol : 'its currency code (like USD)';
  return (
    `For cash, write ${currency} as symbol and CASH as investment class. ` +
    `For the listed symbol ${symbol.slice(0, 32)}, write PUBLIC as investment class.`
  );
}
