import Big from 'big.js';
import type { LotView } from '../contract/schemas.ts';
import { weekdaysBetween } from '../market/sessions.ts';
import type { Split } from '../market/split.ts';
import { minorUnitWarning } from './minor-unit-warning.ts';
import { splitWarning } from './split-warning.ts';

/** A lot with its unrounded values in the base currency: a row of `lotValuesSql`, decimals as strings. */
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
  value_currency: string | null;
  close_currency: string | null;
  price_date: string | null;
  base_currency: string;
  fx_value: string | null;
  fx_cost: string | null;
  rates_pending: string[] | null;
  splits: Split[] | null;
  value: string | null;
  cost: string | null;
  disposition: LotView['disposition'];
  is_pending: boolean;
}

const percentDigits = 4;

/**
 * A lot as the API shows it. `session` is the last completed New York session, from which the price's age is counted.
 */
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
    fx_value: plain(lot.fx_value),
    fx_cost: plain(lot.fx_cost),
    market_value: isPriced ? plain(lot.value) : null,
    cost: plain(lot.cost),
    pnl: pnl === null ? null : plain(pnl.toFixed()),
    pnl_percent: percentOf(pnl, lot.cost),
    disposition: lot.disposition,
    reason: reasonOf(lot),
    warnings: warningsOf(lot),
  };
}

function warningsOf({ line, symbol, investment_class, close, close_currency, splits, ...row }: ValuedLot) {
  if (investment_class !== 'PUBLIC') return [];
  // A row with a minor unit was converted to the major unit when it was read.
  const prices = { entryPrice: plain(row.entry_price)!, quoteUnit: null };
  const lot = { line, symbol, quantity: plain(row.quantity)!, entryDate: row.entry_date, ...prices };
  const suspicion = close && minorUnitWarning(lot, { symbolCurrency: close_currency, lastClose: close });
  return [suspicion, splitWarning(lot, splits ?? [])].flatMap((warning) =>
    warning ? [{ code: warning.code as string, message: warning.message }] : [],
  );
}

function percentOf(pnl: Big | null, cost: string | null): string | null {
  if (pnl === null || cost === null || Big(cost).eq(0)) return null;
  return pnl.div(Big(cost).abs()).times(100).toFixed(percentDigits);
}

function reasonOf(lot: ValuedLot): string | null {
  switch (lot.disposition) {
    case 'unpriced':
      return lot.investment_class === 'OPTIONS'
        ? 'Options are not valued: the price of the underlying is not the price of the option.'
        : 'A private holding has no market price.';
    case 'pending':
      return 'Its symbol is being onboarded.';
    case 'failed':
      return 'The onboarding of its symbol failed.';
    case 'missing_fx':
      return missingRate(lot);
    default:
      return null;
  }
}

/** Says which rate is missing: that of the value, otherwise that of the cost. */
function missingRate({ base_currency, value_currency, fx_value, ...lot }: ValuedLot): string {
  const { lot_currency, price_date, entry_date, rates_pending } = lot;
  const [currency, date] = fx_value === null ? [value_currency, price_date] : [lot_currency, entry_date];
  if (currency === null) return 'The currency of its symbol is unknown.';
  const what = `exchange rate from ${currency} to ${base_currency}${date === null ? '' : ` on or before ${date}`}`;
  return rates_pending === null ? `There is no ${what}.` : `The ${what} is being fetched.`;
}

// `numeric` products keep trailing zeros, which the API does not show.
const plain = (decimal: string | null): string | null => (decimal === null ? null : Big(decimal).toFixed());
