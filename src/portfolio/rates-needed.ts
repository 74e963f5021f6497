import { rateSymbolsBetween } from '../market/rates.ts';
import { isOpen, type Lot } from './lots.ts';
import { currenciesOf } from './snapshot.ts';

/** The currency of each symbol's prices; null or absent while unknown. */
export type Currencies = ReadonlyMap<string, string | null>;

/** The currencies of a lot's value and cost, which are converted to the base currency. Null if unknown. */
export function currenciesOfLot(
  lot: Lot,
  { baseCurrency, currencies }: { baseCurrency: string; currencies: Currencies },
): { symbolCurrency: string | null; value: string | null; cost: string | null } {
  const symbolCurrency =
    lot.investmentClass === 'CASH' ? lot.symbol : (currencies.get(quotedSymbol(lot) ?? '') ?? null);
  return { symbolCurrency, ...currenciesOf({ ...lot, symbolCurrency }, baseCurrency) };
}

/**
 * The rate series that convert open lots to the base currency, each with the earliest entry date that it must cover.
 * Closed lots are converted with stored rates and need no series.
 *
 *     ratesNeeded([{ ...lot, symbol: 'SAP.DE', entryDate: '2024-03-15' }], { baseCurrency: 'USD', currencies })
 *     // Map { 'EURUSD=X' => '2024-03-15' }
 */
export function ratesNeeded(
  lots: readonly Lot[],
  options: { baseCurrency: string; currencies: Currencies },
): Map<string, string> {
  const needed = new Map<string, string>();
  for (const lot of lots) {
    if (!isOpen(lot)) continue;
    const { value, cost } = currenciesOfLot(lot, options);
    // Options and private holdings have a cost but no value.
    const isValued = lot.investmentClass === 'PUBLIC' || lot.investmentClass === 'CASH';
    for (const currency of new Set([cost, isValued ? value : null])) {
      if (currency === null) continue;
      for (const symbol of rateSymbolsBetween(currency, options.baseCurrency)) {
        const since = needed.get(symbol);
        if (since === undefined || lot.entryDate < since) needed.set(symbol, lot.entryDate);
      }
    }
  }
  return needed;
}

/** The symbol whose currency a lot has. A closed lot needs no price, but its gain is in that currency. */
export const quotedSymbol = (lot: Lot): string | null =>
  lot.needs ?? (lot.investmentClass === 'PUBLIC' ? lot.symbol : lot.underlyingSymbol);

export const quotedSymbols = (lots: readonly Lot[]): string[] => [
  ...new Set(lots.flatMap((lot) => quotedSymbol(lot) ?? [])),
];
