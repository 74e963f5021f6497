import Big from 'big.js';
import { minorDigits } from '../market/currency.ts';
import { currencyOf, isOpen, type Lot } from './lots.ts';

/** A lot with the price data of its symbol. */
export interface PricedLot
  extends Pick<
    Lot,
    'investmentClass' | 'quantity' | 'multiplier' | 'entryPrice' | 'exitDate' | 'exitPrice' | 'currency'
  > {
  /** The currency of its symbol's prices (of the underlying's, for an option); null while unknown. */
  symbolCurrency: string | null;
  /** The symbol's last close on or before the snapshot's date, in its trading currency; null if there is none. */
  lastClose: string | null;
  /** The date of that close, or of the rate for cash in another currency. */
  priceDate: string | null;
  /**
   * The rates into the base currency of the lot's value (a close on its price date, or its exit price) and of its entry
   * price; null if there is none. Ignored if the currency is the base currency.
   */
  valueRate: string | null;
  costRate: string | null;
  /** Whether the symbol that the lot needs has an unfinished job. */
  isPending: boolean;
  /** Whether a rate series that converts it has an unfinished job. */
  isRatePending: boolean;
}

/** Why a lot is or is not in the totals. Only `priced` lots have a value. */
export type Disposition = 'priced' | 'pending' | 'failed' | 'missing_fx' | 'unpriced' | 'closed';

/** A lot's money in the portfolio's base currency, unrounded; null if it cannot be converted. */
export interface LotValues {
  disposition: Disposition;
  value: Big | null;
  cost: Big | null;
  realized: Big | null;
}

/** A portfolio's totals (SPEC section 7): money as decimal strings with the currency's minor digits. */
export interface SnapshotTotals {
  snapshotDate: string | null;
  totalValue: string;
  totalCost: string;
  totalPnl: string;
  /** Percent with 4 decimals; null without cost. */
  pnlPercent: string | null;
  longValue: string;
  shortValue: string;
  grossExposure: string;
  netExposure: string;
  /** Of closed lots, which are in no other total; null if one of them was sold in a currency without a rate. */
  realizedPnl: string | null;
  positionCount: number;
  unpricedCount: number;
  pendingCount: number;
  missingFxCount: number;
  /** Cost of the priced open lots over cost of all open lots, 6 decimals; null without cost or with an unknown one. */
  coverage: string | null;
  isComplete: boolean;
  oldestPriceDate: string | null;
}

const halfAwayFromZero = Big.roundHalfUp;

// Quotients are truncated, not rounded, far after the last published digit: rounding twice could turn 0.00004999… into
// a tie, and the tie into 0.0001.
const Quotient = Big();
Quotient.DP = 40;
Quotient.RM = Big.roundDown;

/**
 * The totals of a portfolio's lots; null if no lot is priced.
 *
 * This is the reference implementation that the set-based SQL is tested against. Lots are summed exactly and unrounded;
 * each total is rounded once, half away from zero. `session` is the snapshot date of a portfolio that has only cash.
 *
 *     snapshotTotals({ lots: [10 AAPL bought at 150, last close 172.405], baseCurrency: 'USD' })
 *     // totalValue '1724.05', totalCost '1500.00', totalPnl '224.05', pnlPercent '14.9367', …
 */
export function snapshotTotals({
  lots,
  baseCurrency,
  session = null,
}: {
  lots: readonly PricedLot[];
  baseCurrency: string;
  session?: string | null;
}): SnapshotTotals | null {
  const valued = lots.map((lot) => ({ ...lotValues(lot, baseCurrency), lot }));
  const priced = valued.filter(({ disposition }) => disposition === 'priced');
  if (priced.length === 0) return null;
  const money = (amount: Big): string => fixed(amount, minorDigits(baseCurrency));
  const values = priced.map(({ value }) => value ?? zero);
  const value = sum(values);
  const cost = sum(priced.map((lot) => lot.cost ?? zero));
  const long = sum(values.filter((v) => v.gt(0)));
  const short = sum(values.filter((v) => v.lt(0)));
  const dates = priced.flatMap(({ lot }) => lot.priceDate ?? []).sort();
  const snapshotDate = dates.at(-1) ?? session;
  return {
    snapshotDate,
    totalValue: money(value),
    totalCost: money(cost),
    totalPnl: money(new Big(money(value)).minus(money(cost))),
    pnlPercent: ratio(value.minus(cost).times(100), absoluteCost(priced), 4),
    longValue: money(long),
    shortValue: money(short),
    grossExposure: money(long.minus(short)),
    netExposure: money(value),
    realizedPnl: realizedPnl(valued, money),
    ...counts(valued),
    coverage: coverage(valued, priced),
    oldestPriceDate: dates[0] ?? snapshotDate,
  };
}

/** The values of a lot and its disposition. Only a priced lot has a value. */
export function lotValues(lot: PricedLot, baseCurrency: string): LotValues {
  const { value: valueRate, cost: costRate } = ratesOf(lot, baseCurrency);
  const disposition = dispositionOf(lot, valueRate !== null && costRate !== null);
  const size = new Big(lot.quantity).times(lot.multiplier);
  const cost = costRate === null ? null : size.times(lot.entryPrice).times(costRate);
  const { exitPrice } = lot;
  const isSold = disposition === 'closed' && exitPrice !== null && valueRate !== null && cost !== null;
  return {
    disposition,
    value: disposition === 'priced' ? size.times(closeOf(lot) ?? 0).times(valueRate ?? 0) : null,
    cost,
    realized: isSold ? size.times(exitPrice).times(valueRate).minus(cost) : null,
  };
}

/** The currencies of a lot's value and of its entry price; null if unknown. */
export function currenciesOf(
  lot: Pick<PricedLot, 'investmentClass' | 'currency' | 'exitDate' | 'symbolCurrency'>,
  baseCurrency: string,
): { value: string | null; cost: string | null } {
  // The symbol of a closed lot is not onboarded, so if its currency is unknown, the portfolio's is assumed.
  const cost = currencyOf(lot, { ...lot, baseCurrency }) ?? (isOpen(lot) ? null : baseCurrency);
  const isAtCost = !isOpen(lot) || lot.investmentClass === 'CASH';
  return { value: isAtCost ? cost : lot.symbolCurrency, cost };
}

function ratesOf(lot: PricedLot, baseCurrency: string): { value: string | null; cost: string | null } {
  const { value, cost } = currenciesOf(lot, baseCurrency);
  const rate = (currency: string | null, stored: string | null) =>
    currency === baseCurrency ? '1' : currency === null ? null : stored;
  return { value: rate(value, lot.valueRate), cost: rate(cost, lot.costRate) };
}

function dispositionOf(lot: PricedLot, isConverted: boolean): Disposition {
  if (!isOpen(lot)) return 'closed';
  if (lot.investmentClass === 'OPTIONS' || lot.investmentClass === 'PRIVATE') return 'unpriced';
  if (closeOf(lot) === null) return lot.isPending ? 'pending' : 'failed';
  return isConverted ? 'priced' : 'missing_fx';
}

/** Cash is at par. */
const closeOf = (lot: PricedLot): string | null => (lot.investmentClass === 'CASH' ? '1' : lot.lastClose);

type Valued = LotValues & { lot: PricedLot };

function counts(valued: readonly Valued[]) {
  const count = (...wanted: Disposition[]): number =>
    valued.filter(({ disposition }) => wanted.includes(disposition)).length;
  return {
    positionCount: count('priced'),
    unpricedCount: count('unpriced', 'pending', 'failed'),
    pendingCount: valued.filter(({ lot }) => isOpen(lot) && (lot.isPending || lot.isRatePending)).length,
    missingFxCount: count('missing_fx'),
    isComplete: count('pending', 'failed', 'missing_fx') === 0,
  };
}

function coverage(valued: readonly Valued[], priced: readonly Valued[]): string | null {
  const open = valued.filter(({ disposition }) => disposition !== 'closed');
  if (open.some(({ cost }) => cost === null)) return null;
  return ratio(absoluteCost(priced), absoluteCost(open), 6);
}

/** A closed lot without an exit price adds nothing. One without a rate makes the whole sum unknown. */
function realizedPnl(valued: readonly Valued[], money: (amount: Big) => string): string | null {
  const sold = valued.filter(({ disposition, lot }) => disposition === 'closed' && lot.exitPrice !== null);
  if (sold.some(({ realized }) => realized === null)) return null;
  return money(sum(sold.map(({ realized }) => realized ?? zero)));
}

const zero = new Big(0);
const sum = (amounts: readonly Big[]): Big => amounts.reduce((total, amount) => total.plus(amount), zero);
const absoluteCost = (lots: readonly Valued[]): Big => sum(lots.map(({ cost }) => (cost ?? zero).abs()));

function ratio(numerator: Big, denominator: Big, decimals: number): string | null {
  return denominator.eq(0) ? null : fixed(new Quotient(numerator).div(denominator), decimals);
}

function fixed(amount: Big, decimals: number): string {
  const rounded = amount.round(decimals, halfAwayFromZero);
  // big.js keeps the sign of a negative zero: -0.004 would be '-0.00'.
  return (rounded.eq(0) ? zero : rounded).toFixed(decimals);
}
