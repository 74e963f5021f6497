import Big from 'big.js';
import type { LotView } from '../api/schemas.ts';
import { weekdaysBetween } from '../market/sessions.ts';
import { minorUnitWarning } from './minor-unit.ts';

/** A lot with its unrounded values in the base currency: a row of `valuation.ts`, decimals as strings. */
export interface ValuedLot {
  id: string;
  line: number;
  symbol: string;
  investment_class: LotView['class'];
  investment_subtype: string | null;
  underlying_symbol: string | null;
  strike_price: string | null;
  expiration_date: string | null;
  option_type: LotView['option_type'];
  quantity: string;
  multiplier: number;
  lot_currency: string | null;
  entry_price: string;
  entry_date: string;
  exit_price: string | null;
  exit_date: string | null;
  close: string | null;
  close_currency: string | null;
  price_date: string | null;
  base_currency: string;
  value: string | null;
  cost: string | null;
  disposition: LotView['disposition'];
  is_pending: boolean;
}

const percentDigits = 4;

/** A lot as the API shows it. `session`: the last completed New York session, to say how old its price is. */
export function lotViewOf(lot: ValuedLot, session: string): LotView {
  const isPriced = lot.disposition === 'priced';
  const pnl = isPriced && lot.value !== null && lot.cost !== null ? Big(lot.value).minus(lot.cost) : null;
  const behind = lot.price_date === null ? null : weekdaysBetween({ from: lot.price_date, to: session });
  return {
    lot_id: lot.id,
    line: lot.line,
    symbol: lot.symbol,
    class: lot.investment_class,
    subtype: lot.investment_subtype,
    underlying_symbol: lot.underlying_symbol,
    strike_price: plain(lot.strike_price),
    expiration_date: lot.expiration_date,
    option_type: lot.option_type,
    quantity: plain(lot.quantity)!,
    multiplier: lot.multiplier,
    currency: lot.lot_currency,
    entry_price: plain(lot.entry_price)!,
    entry_date: lot.entry_date,
    exit_price: plain(lot.exit_price),
    exit_date: lot.exit_date,
    last_close: plain(lot.close),
    price_date: lot.price_date,
    stale_sessions: behind === null ? null : Math.max(0, behind),
    fx_value: lot.close_currency === lot.base_currency ? '1' : null,
    fx_cost: lot.lot_currency === lot.base_currency ? '1' : null,
    market_value: isPriced ? plain(lot.value) : null,
    cost: plain(lot.cost),
    pnl: pnl === null ? null : plain(pnl.toFixed()),
    pnl_percent: percentOf(pnl, lot.cost),
    disposition: lot.disposition,
    reason: reasonOf(lot),
    warnings: warningsOf(lot),
  };
}

function warningsOf({ line, symbol, investment_class, entry_price, close, close_currency }: ValuedLot) {
  if (investment_class !== 'PUBLIC' || close === null) return [];
  // A row that named a minor unit was brought to the major one when it was read.
  const lot = { line, symbol, entryPrice: entry_price, quoteUnit: null };
  const warning = minorUnitWarning(lot, { symbolCurrency: close_currency, lastClose: close });
  return warning ? [{ code: warning.code, message: warning.message }] : [];
}

function percentOf(pnl: Big | null, cost: string | null): string | null {
  if (pnl === null || cost === null || Big(cost).eq(0)) return null;
  return pnl.div(Big(cost).abs()).times(100).toFixed(percentDigits);
}

function reasonOf({ disposition, investment_class, lot_currency, base_currency, close_currency }: ValuedLot) {
  switch (disposition) {
    case 'unpriced':
      return investment_class === 'OPTIONS'
        ? 'An option is never valued at the price of its underlying.'
        : 'A private holding has no market price.';
    case 'pending':
      return 'Its symbol is being onboarded.';
    case 'failed':
      return 'Its symbol could not be onboarded.';
    case 'missing_fx': {
      const foreign = lot_currency === base_currency ? close_currency : lot_currency;
      return `No exchange rate from ${foreign ?? 'an unknown currency'} to ${base_currency}.`;
    }
    default:
      return null;
  }
}

// `numeric` keeps the zeros that a product of two scales has; a reader has no use for them.
const plain = (decimal: string | null): string | null => (decimal === null ? null : Big(decimal).toFixed());
