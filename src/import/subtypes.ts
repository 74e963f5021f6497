import { type InvestmentClass, investmentClasses } from '../portfolio/lots.ts';

/** The subtypes of each class. They are descriptive; no rule depends on them. */
export const investmentSubtypes: Readonly<Record<InvestmentClass, readonly string[]>> = {
  PUBLIC: [
    'STOCK',
    'ETF',
    'MUTUAL_FUND',
    'BOND',
    'REIT',
    'ADR',
    'PREFERRED',
    'INDEX',
    'CRYPTO',
    'CURRENCY',
    'COMMODITY',
    'FUTURE',
    'OTHER',
  ],
  OPTIONS: ['STOCK_OPTION', 'ETF_OPTION', 'INDEX_OPTION', 'LISTED_OPTION', 'CALL', 'PUT', 'OTHER'],
  PRIVATE: [
    'PRIVATE_EQUITY',
    'VENTURE_CAPITAL',
    'HEDGE_FUND',
    'PRIVATE_DEBT',
    'PRIVATE_REIT',
    'REAL_ESTATE',
    'CRYPTO',
    'COMMODITY',
    'ART',
    'COLLECTIBLE',
    'OTHER',
  ],
  CASH: ['CASH', 'DEPOSIT', 'MONEY_MARKET', 'OTHER'],
};

/** Normalises a subtype: `Mutual fund` becomes `MUTUAL_FUND`. */
export const subtypeOf = (text: string): string => text.toUpperCase().replace(/[\s-]+/g, '_');

/** What to write instead of a subtype that does not belong to the class. */
export function subtypeAdvice(subtype: string, investmentClass: InvestmentClass): string {
  const own = investmentSubtypes[investmentClass];
  const close = subtype.length > 2 ? own.find((known) => known.includes(subtype)) : undefined;
  if (close) return `Write ${close}, or leave it empty.`;
  const home = investmentClasses.find((other) => investmentSubtypes[other].includes(subtype));
  const elsewhere = home ? `${subtype} belongs to class ${home}. ` : '';
  return `${elsewhere}For class ${investmentClass} write ${own.join(', ')}, or leave it empty.`;
}
