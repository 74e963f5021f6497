import Big from 'big.js';
import { makeRowProblem, type RowProblem } from '../contract/row-problems.ts';
import type { Lot } from './lots.ts';

/**
 * The warning "minor unit?": the entry price is 50 to 200 times the last close, the symbol's exchange quotes in pence,
 * cents or agorot, and the row names no minor unit. Otherwise null.
 *
 *     minorUnitWarning(lot, { symbolCurrency: 'GBP', lastClose: '72.10' })   // a warning for an entry price of 7250
 */
export function minorUnitWarning(
  lot: Pick<Lot, 'line' | 'symbol' | 'entryPrice' | 'quoteUnit'>,
  { symbolCurrency, lastClose }: { symbolCurrency: string | null; lastClose: string },
): RowProblem | null {
  const unit = quotedIn.get(symbolCurrency ?? '');
  if (unit === undefined || lot.quoteUnit !== null) return null;
  const entryPrice = new Big(lot.entryPrice);
  const isFarAbove = entryPrice.gte(new Big(lastClose).times(50));
  if (!isFarAbove || entryPrice.gt(new Big(lastClose).times(200))) return null;
  const place = { line: lot.line, column: 'Currency', value: lot.entryPrice };
  const fix =
    `${lot.symbol} last closed at ${lastClose} ${symbolCurrency}. ` +
    `If the entry price is in hundredths of ${symbolCurrency}, write ${unit} as currency.`;
  return makeRowProblem('WARN_POS_004', place, fix);
}

/** Currencies whose home market quotes shares in hundredths, with the name of that unit. */
const quotedIn = new Map([
  ['GBP', 'GBX'],
  ['ZAR', 'ZAc'],
  ['ILS', 'ILA'],
]);
