import Big from 'big.js';
import { minorDigits } from '../market/currency.ts';
import { currencyOf, isOpen, type Lot } from './lots.ts';

/** A lot and what is known of its symbol's price. */
export interface PricedLot
  extends Pick<
    Lot,
    'investmentClass' | 'quantity' | 'multiplier' | 'entryPrice' | 'exitDate' | 'exitPrice' | 'currency'
  > {
  /** The currency of its symbol's prices (of the underlying's, for an option); null while it is not known. */
  symbolCurrency: string | null;
  /** The symbol's last close on or before the snapshot's date, in its trading currency; null while there is none. */
  lastClose: string | null;
  /** Of that close; of the rate, for cash in another currency. */
  priceDate: string | null;
  /**
   * The rate into the base currency of what the lot is valued at (a close on its price date, or its exit price), and
   * that of its entry price; null where there is none. Looked at only where the currency is another one.
   */
  valueRate: string | null;
  costRate: string | null;
  /** The symbol that the lot needs has an unfinished job. */
  isPending: boolean;
  /** A series that converts it has one. */
  isRatePending: boolean;
}

/** Why a lot does or does not enter the totals. Exactly one holds; only `priced` lots have a value. */
export type Disposition = 'priced' | 'pending' | 'failed' | 'missing_fx' | 'unpriced' | 'closed';

/** A lot's money in the portfolio's base currency, unrounded; null where it cannot be expressed in it. */
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
  /** Of closed lots, in no other total; null where one of them was sold in a currency without a rate. */
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

// Quotients are cut, not rounded, far behind the last published digit: rounding twice could turn 0.00004999… into a
// tie and the tie into 0.0001.
const Quotient = Big();
Quotient.DP = 40;
Quotient.RM = Big.roundDown;

/**
 * The totals of a portfolio's lots; null where no lot is priced.
 *
 * This is the statement of the rules that the database's set-based one is tested against. Lots are summed unrounded
 * and exactly; each total is rounded once, half away from zero. `session` dates a portfolio of nothing but cash.
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

/** What a lot is worth and what became of it. A lot has a value only where it is priced. */
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

/** The currencies of what a lot is valued at and of its own prices; null where nobody knows them. */
export function currenciesOf(
  lot: Pick<PricedLot, 'investmentClass' | 'currency' | 'exitDate' | 'symbolCurrency'>,
  baseCurrency: string,
): { value: string | null; cost: string | null } {
  // Nobody asks for the symbol of a closed lot: where its currency is not known, the portfolio's is meant.
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

/** A closed lot without an exit price adds nothing; one in another currency makes the whole sum unknown. */
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
