export const investmentClasses = ['PUBLIC', 'OPTIONS', 'PRIVATE', 'CASH'] as const;
export type InvestmentClass = (typeof investmentClasses)[number];

export const optionTypes = ['CALL', 'PUT'] as const;
export type OptionType = (typeof optionTypes)[number];

/** Contracts are written on a hundred shares. */
export const contractMultiplier = 100;

/**
 * One purchase, as uploaded and validated.
 *
 * Quantities and prices are exact decimal strings without exponent or superfluous zeros. Prices are in the major
 * currency: a quote in pence has its decimal point moved two places, so they carry at most 8 decimals; quantities
 * at most 6; both at most 15 digits before the point. Dates are calendar days, `YYYY-MM-DD`.
 */
export interface Lot {
  /** The row of the upload: as a spreadsheet numbers it, or the place in a JSON list from 1. */
  line: number;
  symbol: string;
  /** The symbol whose prices it needs: its own for an open public lot, the underlying for an open option. */
  needs: string | null;
  investmentClass: InvestmentClass;
  investmentSubtype: string | null;
  underlyingSymbol: string | null;
  strikePrice: string | null;
  expirationDate: string | null;
  optionType: OptionType | null;
  /** Negative is a short position. Never zero. */
  quantity: string;
  /** Shares per unit of quantity: 100 for options, else 1. */
  multiplier: number;
  /** Per share; always positive. */
  entryPrice: string;
  entryDate: string;
  /** A lot is open exactly when this is null. */
  exitDate: string | null;
  exitPrice: string | null;
  /** ISO 4217 code of a major currency; null means the symbol's own trading currency. */
  currency: string | null;
  /** The minor unit in which the row gave its prices (`GBp`, `GBX`, `ZAc`, `ILA`), null where it gave none. */
  quoteUnit: string | null;
}

export const isOpen = (lot: Pick<Lot, 'exitDate'>): boolean => lot.exitDate === null;

/** The symbol whose prices a lot needs, or null: SPEC section 3. */
export function neededSymbol(
  lot: Pick<Lot, 'symbol' | 'investmentClass' | 'underlyingSymbol' | 'exitDate'>,
): string | null {
  if (!isOpen(lot)) return null;
  if (lot.investmentClass === 'PUBLIC') return lot.symbol;
  return lot.investmentClass === 'OPTIONS' ? lot.underlyingSymbol : null;
}

/** The symbols that lots need, ascending, each once. */
export function neededSymbols(lots: Iterable<Pick<Lot, 'needs'>>): string[] {
  const symbols = new Set<string>();
  for (const { needs } of lots) if (needs !== null) symbols.add(needs);
  // By code unit, as the database's "C" collation and `<` have it: whoever locks in this order never deadlocks.
  return [...symbols].sort();
}

/**
 * The currency of a lot's prices: the row's own, else that in which its symbol trades, else the portfolio's for
 * what trades nowhere (a private holding). Null while the symbol's currency is not known.
 */
export function currencyOf(
  lot: Pick<Lot, 'investmentClass' | 'currency'>,
  { symbolCurrency, baseCurrency }: { symbolCurrency: string | null; baseCurrency: string },
): string | null {
  return lot.currency ?? (lot.investmentClass === 'PRIVATE' ? baseCurrency : symbolCurrency);
}
