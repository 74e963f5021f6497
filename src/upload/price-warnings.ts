import { makeRowProblem, type RowProblem } from '../contract/row-problems.ts';
import { foreignWarning } from '../import/validate-positions.ts';
import { isOpen, type Lot } from '../portfolio/lots.ts';
import { minorUnitWarning } from '../portfolio/minor-unit-warning.ts';
import { quotedSymbol } from '../portfolio/rates-needed.ts';
import { splitWarning } from '../portfolio/split-warning.ts';
import type { Quotes } from '../universe/quote.ts';

const remarksMax = 100; // more would not be read

/**
 * Warnings that depend on the symbols: lots in another currency than the portfolio because their symbol trades in it (one
 * warning per currency), closed lots with unknown currency (one warning for all), entry prices that may be in pence, and
 * splits since the entry.
 */
export function marketRemarks(
  lots: readonly Lot[],
  { quotes, baseCurrency }: { quotes: Quotes; baseCurrency: string },
): RowProblem[] {
  const foreign = new Map<string, { currency: string; count: number; line: number }>();
  const minor: RowProblem[] = [];
  const split: RowProblem[] = [];
  for (const lot of lots) {
    const quote = lot.investmentClass === 'PUBLIC' && lot.needs !== null && quotes.get(lot.needs);
    if (!quote) continue;
    const { currency, lastClose } = quote;
    if (lot.currency === null && currency !== null && currency !== baseCurrency) {
      const seen = foreign.get(currency);
      if (seen) seen.count += 1;
      else foreign.set(currency, { currency, count: 1, line: lot.line });
    }
    const suspicion = lastClose && minorUnitWarning(lot, { symbolCurrency: currency, lastClose });
    if (suspicion && minor.length < remarksMax) minor.push(suspicion);
    const warning = splitWarning(lot, quote.splits);
    if (warning && split.length < remarksMax) split.push(warning);
  }
  const currencies = [...foreign.values()].map((lots) => foreignWarning(lots, baseCurrency));
  return [...currencies, ...assumedWarnings(lots, { quotes, baseCurrency }), ...minor, ...split];
}

// The provider is not asked about closed lots, so their gain may be summed in the wrong currency.
function assumedWarnings(
  lots: readonly Lot[],
  { quotes, baseCurrency }: { quotes: Quotes; baseCurrency: string },
): RowProblem[] {
  const assumed = lots.filter((lot) => {
    const symbol = lot.currency === null && lot.exitPrice !== null && !isOpen(lot) ? quotedSymbol(lot) : null;
    return symbol !== null && !quotes.get(symbol)?.currency;
  });
  const [first] = assumed;
  if (first === undefined) return [];
  const others = assumed.length === 1 ? '' : ` and ${assumed.length - 1} more closed lots`;
  const fix =
    `The currency of ${first.symbol}${others} is unknown. Their realised gain is assumed to be in ${baseCurrency}; if not, ` +
    'write their currency.';
  return [makeRowProblem('WARN_POS_005', { line: first.line, column: 'Currency', value: first.symbol }, fix)];
}
