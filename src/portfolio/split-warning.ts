import Big from 'big.js';
import { makeRowProblem, type RowProblem } from '../contract/row-problems.ts';
import type { Split } from '../market/split.ts';
import type { Lot } from './lots.ts';

const shownDecimals = 6; // as many as a lot may have

/**
 * The warning `split_since_entry`: the lot's quantity and price after the splits since its entry date, in case they are
 * unadjusted, and as they are, in case they are adjusted already. Null without such a split. The lot alone does not
 * show which case it is, so its quantity and price are never changed.
 *
 *     splitWarning({ …, quantity: '10', entryPrice: '1200', entryDate: '2024-03-01' },
 *       [{ date: '2024-06-10', numerator: '10', denominator: '1' }])
 *     // … If quantity and price are from before the split, enter the lot as 100 at 120. …
 */
export function splitWarning(
  lot: Pick<Lot, 'line' | 'symbol' | 'quantity' | 'entryPrice' | 'entryDate'>,
  splits: readonly Split[],
): RowProblem | null {
  const since = splits.filter(({ date }) => date > lot.entryDate);
  if (since.length === 0) return null;
  const [gained, given] = ratioOf(since);
  const quantity = shown(new Big(lot.quantity).times(gained), given);
  const price = shown(new Big(lot.entryPrice).times(given), gained);
  const place = { line: lot.line, column: 'Quantity', value: lot.quantity };
  const fix =
    `${lot.symbol} split ${splitText(since)}, after ${lot.entryDate}. If quantity and price are from before the split, ` +
    `enter the lot as ${quantity} at ${price}. If they are adjusted already, leave it at ${lot.quantity} at ` +
    `${lot.entryPrice}, as valued here.`;
  return makeRowProblem('split_since_entry', place, fix);
}

/** Splits in words: `10 for 1 on 2024-06-10`; several also with their total ratio. */
export function splitText(splits: readonly Split[]): string {
  const each = splits.map(({ date, numerator, denominator }) => `${numerator} for ${denominator} on ${date}`);
  if (splits.length === 1) return each[0]!;
  const [gained, given] = ratioOf(splits);
  return `${each.join(' and ')}, ${gained.toFixed()} for ${given.toFixed()} in total`;
}

const ratioOf = (splits: readonly Split[]): [gained: Big, given: Big] => [
  splits.reduce((product, { numerator }) => product.times(numerator), new Big(1)),
  splits.reduce((product, { denominator }) => product.times(denominator), new Big(1)),
];

/** A quotient for people: exact if six decimals suffice, otherwise with "about". */
function shown(dividend: Big, divisor: Big): string {
  const rounded = dividend.div(divisor).round(shownDecimals, Big.roundHalfUp);
  return rounded.times(divisor).eq(dividend) ? rounded.toFixed() : `about ${rounded.toFixed()}`;
}
