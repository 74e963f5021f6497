export const investmentClasses = ['PUBLIC', 'OPTIONS', 'PRIVATE', 'CASH'] as const;
export type InvestmentClass = (typeof investmentClasses)[number];

export const optionTypes = ['CALL', 'PUT'] as const;
export type OptionType = (typeof optionTypes)[number];

/** An option contract covers a hundred shares. */
export const contractMultiplier = 100;

/**
 * One purchase, as uploaded and validated.
 *
 * Quantities and prices are exact decimal strings without exponent or superfluous zeros. Prices are in the major
 * currency: a quote in pence has its decimal point moved two places, so they carry at most 8 decimals; quantities
 * at most 6; both at most 15 digits before the point. Dates are calendar days, `YYYY-MM-DD`.
 */
export interface Lot {
  /** Row number in the upload: as in a spreadsheet, or the position in a JSON list, from 1. */
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
  /** Null if and only if the lot is open. */
  exitDate: string | null;
  exitPrice: string | null;
  /** ISO 4217 code of a major currency; null means the symbol's own trading currency. */
  currency: string | null;
  /** The minor unit of the prices in the row (`GBp`, `GBX`, `ZAc`, `ILA`), or null. */
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

/** The distinct symbols that lots need, ascending. */
export function neededSymbols(lots: Iterable<Pick<Lot, 'needs'>>): string[] {
  const symbols = new Set<string>();
  for (const { needs } of lots) if (needs !== null) symbols.add(needs);
  // By code unit, like the database's "C" collation and `<`. Transactions that lock in this order do not deadlock.
  return [...symbols].sort();
}

/**
 * The currency of a lot's prices: that of its row, otherwise that of its symbol, or the portfolio's for a private
 * holding, which has no market. Null while the symbol's currency is unknown.
 */
export function currencyOf(
  lot: Pick<Lot, 'investmentClass' | 'currency'>,
  { symbolCurrency, baseCurrency }: { symbolCurrency: string | null; baseCurrency: string },
): string | null {
  return lot.currency ?? (lot.investmentClass === 'PRIVATE' ? baseCurrency : symbolCurrency);
}
