import { isCurrency, toMajor } from '../market/currency.ts';
import { normaliseSymbol, type SymbolProblem } from '../market/normalise-symbol.ts';
import { contractMultiplier, type Lot, neededSymbol } from '../portfolio/lots.ts';
import { cashAdvice, looksLikeCash } from './looks-like-cash.ts';
import { readExit } from './read-exit.ts';
import {
  type RowClass,
  readClass,
  readEntryDate,
  readEntryPrice,
  readPriceUnit,
  readQuantity,
  readSubtype,
} from './read-fields.ts';
import { contractSymbol, type OptionTerms, readOption } from './read-option.ts';
import type { Row } from './row.ts';

/**
 * Reads a row into a lot by the rules of SPEC section 4. Returns null after reporting everything that is wrong.
 *
 * A refused cell reads as empty, so that the other cells are checked too.
 */
export function readLot(row: Row, today: string): Lot | null {
  const rowClass = readClass(row);
  const { investmentClass } = rowClass;
  const entryDate = readEntryDate(row, today);
  const terms = readOption(row, rowClass, entryDate);
  const symbol = readSymbol(row, rowClass, terms);
  const draft = {
    line: row.line,
    symbol,
    investmentClass,
    investmentSubtype: readSubtype(row, rowClass),
    ...terms,
    quantity: readQuantity(row),
    multiplier: investmentClass === 'OPTIONS' ? contractMultiplier : 1,
    entryPrice: readEntryPrice(row, rowClass),
    entryDate,
    ...readExit(row, { rowClass, entryDate, today }),
    ...readPriceUnit(row, { investmentClass, symbol }),
  };
  if (!row.isValid) return null;
  warnAbout(row, draft, today);
  const major = (price: string | null) => price && toMajor(price, draft.quoteUnit);
  return {
    ...draft,
    needs: neededSymbol(draft),
    entryPrice: toMajor(draft.entryPrice, draft.quoteUnit),
    strikePrice: major(draft.strikePrice),
    exitPrice: major(draft.exitPrice),
  };
}

/** The symbol. It may be empty for an option, as in the original format: the terms identify the contract. */
function readSymbol(row: Row, { investmentClass, isNamed, isKnown }: RowClass, terms: OptionTerms): string {
  const text = row.text('symbol');
  if (text === '') {
    const contract = contractSymbol(terms);
    if (investmentClass !== 'OPTIONS') row.refuse('ERR_POS_001', 'symbol');
    else if (contract === null && Object.values(terms).every((term) => term !== null))
      row.refuse('ERR_POS_001', 'symbol', contractAdvice);
    return contract ?? '';
  }
  if (investmentClass === 'CASH') {
    const currency = text.toUpperCase();
    if (isCurrency(currency)) return currency;
    row.refuse('ERR_POS_036', 'symbol');
    return '';
  }
  if (!isNamed && isKnown && investmentClass === 'PUBLIC' && looksLikeCash(row)) {
    row.refuse('ERR_POS_035', 'symbol', cashAdvice(text));
    return '';
  }
  const { symbol, problem } = normaliseSymbol(text);
  if (problem) row.refuse(symbolCodes[problem.reason], 'symbol', problem.message);
  return symbol ?? '';
}

const contractAdvice = 'The option has no standard symbol. Write the symbol of the contract.';

const symbolCodes = {
  missing: 'ERR_POS_001',
  too_long: 'ERR_POS_002',
  invalid_characters: 'ERR_POS_003',
} as const satisfies Record<SymbolProblem['reason'], string>;

function warnAbout(
  row: Row,
  lot: Pick<Lot, 'exitDate' | 'exitPrice' | 'expirationDate'>,
  today: string,
): void {
  if (lot.exitDate !== null && lot.exitPrice === null) row.warn('WARN_POS_001', 'exit_price');
  const hasExpired = lot.expirationDate !== null && lot.expirationDate < today;
  if (hasExpired && lot.exitDate === null) row.warn('WARN_POS_002', 'expiration_date');
}
