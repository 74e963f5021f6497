import { movePoint } from '../market/decimals.ts';
import { normaliseSymbol, symbolLengthMax } from '../market/normalise-symbol.ts';
import { type Lot, type OptionType, optionTypes } from '../portfolio/lots.ts';
import { readDay } from './read-date.ts';
import { isPositive, type RowClass, readNumber } from './read-fields.ts';
import type { Row } from './row.ts';

export type OptionTerms = Pick<Lot, 'underlyingSymbol' | 'strikePrice' | 'expirationDate' | 'optionType'>;

const noOption: OptionTerms = {
  underlyingSymbol: null,
  strikePrice: null,
  expirationDate: null,
  optionType: null,
};

/** The four terms of an option; rows of other classes must have none. */
export function readOption(row: Row, { investmentClass, isKnown }: RowClass, entryDate: string): OptionTerms {
  if (!isKnown) return noOption;
  if (investmentClass !== 'OPTIONS') {
    const filled = row.filledOptionColumn();
    if (filled) row.refuse('ERR_POS_034', filled);
    return noOption;
  }
  return {
    underlyingSymbol: readUnderlying(row),
    strikePrice: readStrike(row),
    expirationDate: readExpiration(row, entryDate),
    optionType: readOptionType(row),
  };
}

/**
 * The symbol of an option contract: that of the OCC without padding. Null if a term is missing or does not fit (a strike
 * has at most five digits and three decimals).
 *
 *     contractSymbol({ underlyingSymbol: 'IWM', strikePrice: '220', expirationDate: '2025-09-20', optionType: 'CALL' })
 *     // 'IWM250920C00220000'
 */
export function contractSymbol(terms: OptionTerms): string | null {
  const { underlyingSymbol, strikePrice, expirationDate, optionType } = terms;
  if (!underlyingSymbol || !strikePrice || !expirationDate || !optionType) return null;
  const root = underlyingSymbol.replace(/[^A-Z0-9]/g, '');
  const thousandths = movePoint(strikePrice, 3);
  if (root === '' || !/^\d{1,8}$/.test(thousandths)) return null;
  const day = expirationDate.slice(2).replaceAll('-', '');
  const contract = `${root}${day}${optionType.charAt(0)}${thousandths.padStart(8, '0')}`;
  return contract.length <= symbolLengthMax ? contract : null;
}

function readUnderlying(row: Row): string | null {
  const { symbol, problem } = normaliseSymbol(row.text('underlying_symbol'));
  if (problem?.reason === 'missing') row.refuse('ERR_POS_018', 'underlying_symbol');
  else if (problem) row.refuse('ERR_POS_024', 'underlying_symbol', problem.message);
  return symbol;
}

function readStrike(row: Row): string | null {
  const strike = readNumber(row, 'strike_price', {
    missing: 'ERR_POS_019',
    not_a_number: 'ERR_POS_025',
    too_many_decimals: 'ERR_POS_025',
  });
  if (strike === null || isPositive(strike)) return strike;
  row.refuse('ERR_POS_025', 'strike_price');
  return null;
}

function readExpiration(row: Row, entryDate: string): string | null {
  const text = row.text('expiration_date');
  if (text === '') {
    row.refuse('ERR_POS_020', 'expiration_date');
    return null;
  }
  const { value, fix } = readDay(text);
  if (value === null) row.refuse('ERR_POS_026', 'expiration_date', fix);
  else if (value < entryDate) row.refuse('ERR_POS_027', 'expiration_date');
  return value;
}

function readOptionType(row: Row): OptionType | null {
  const text = row.text('option_type').toUpperCase();
  const optionType = optionTypes.find((known) => known === text);
  if (text === '') row.refuse('ERR_POS_021', 'option_type');
  else if (!optionType) row.refuse('ERR_POS_022', 'option_type');
  return optionType ?? null;
}
