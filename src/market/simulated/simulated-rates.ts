import { standardNormal, uniformOf } from './random-draws.ts';

/** A simulated exchange rate: the value of one unit of `base` in `quote`. */
export interface SimulatedPair {
  base: string;
  quote: string;
}

/**
 * The currencies of a symbol like `EURUSD=X`, or of the short form `JPY=X`, which means `USDJPY=X`. Null for others.
 */
export function simulatedPair(symbol: string): SimulatedPair | null {
  const [, first, second] = /^([A-Z]{3})([A-Z]{3})?=X$/.exec(symbol) ?? [];
  if (first === undefined) return null;
  return second === undefined ? { base: 'USD', quote: first } : { base: first, quote: second };
}

// Approximate value of a unit in dollars in 2024. Other currencies are worth between 5 cents and 2 dollars.
const usualDollars: Record<string, number> = {
  ...{ AUD: 0.66, BRL: 0.19, CAD: 0.73, CHF: 1.13, CNY: 0.139, CZK: 0.043, DKK: 0.145, EUR: 1.08, GBP: 1.27 },
  ...{ HKD: 0.128, HUF: 0.0027, IDR: 6.2e-5, ILS: 0.27, INR: 0.012, JPY: 0.0066, KRW: 7.3e-4, KWD: 3.25 },
  ...{
    MXN: 0.055,
    NOK: 0.094,
    NZD: 0.61,
    PLN: 0.25,
    SEK: 0.095,
    SGD: 0.74,
    THB: 0.028,
    TRY: 0.031,
    TWD: 0.031,
  },
  ...{ VND: 4.0e-5, ZAR: 0.054 },
};

const dailySigma = 0.005; // 0.5 % a day, 8 % a year, like the major currencies

/**
 * A random walk of one pair. Call `next(date)` in ascending order from the market's first day; it returns the rate
 * after that day.
 *
 * Each currency starts at its usual value in dollars within 5 %, chosen by its hash, then walks by 0.5 % a day. A pair
 * is the quotient of two such values, so `EURUSD=X` and `USDEUR=X` are inverse, and no triangle has an arbitrage.
 */
export function simulatedRates(
  seed: number,
  { base, quote }: SimulatedPair,
): { first: number; next(date: string): number } {
  const [value, unit] = [dollarsOf(seed, base), dollarsOf(seed, quote)];
  return { first: value.first / unit.first, next: (date) => value.next(date) / unit.next(date) };
}

function dollarsOf(seed: number, currency: string): { first: number; next(date: string): number } {
  if (currency === 'USD') return { first: 1, next: () => 1 };
  const draw = uniformOf(seed, `start|rate|${currency}`);
  const usual = usualDollars[currency];
  let dollars = usual === undefined ? 0.05 + 1.95 * draw : usual * (0.95 + 0.1 * draw);
  return {
    first: dollars,
    next(date) {
      dollars *= 1 + dailySigma * standardNormal(seed, `noise|rate|${currency}`, date);
      return dollars;
    },
  };
}
