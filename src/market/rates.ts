import Big from 'big.js';

/** The hub currency of all conversions: every other currency is quoted against it. */
export const hubCurrency = 'USD';

// The market's quoting direction. A provider gives four to six decimals, which is enough for EURUSD at 1.0436 but
// leaves two digits of a yen in dollars: `USDJPY=X` is precise, `JPYUSD=X` is not.
export const quotedInHub: readonly string[] = ['AUD', 'EUR', 'GBP', 'NZD'];

/** Decimals of a rate: still 12 significant digits for the rial in Kuwaiti dinars. */
export const rateDecimals = 18;

/** How many days before a date its latest close may lie: the longest holidays, with weekends. */
export const rateSlackDays = 10;

/**
 * The provider's symbol of the series that quotes a currency; null for the dollar, which needs none.
 *
 *     rateSymbolOf('GBP')   // 'GBPUSD=X'
 *     rateSymbolOf('JPY')   // 'USDJPY=X'
 */
export function rateSymbolOf(currency: string): string | null {
  if (currency === hubCurrency) return null;
  return quotedInHub.includes(currency) ? `${currency}${hubCurrency}=X` : `${hubCurrency}${currency}=X`;
}

/** The symbols that a conversion between two currencies needs, ascending: none, one, or two via the dollar. */
export function rateSymbolsBetween(from: string, to: string): string[] {
  if (from === to) return [];
  return [from, to].flatMap((currency) => rateSymbolOf(currency) ?? []).sort();
}

/**
 * The value of one unit of `from` in `to`, from the closes of their series; null if a close is missing.
 *
 * The quotient of the closes, rounded once, half away from zero, to 18 decimals. Exact if the quotient has at most 18
 * decimals, as for the rate into the dollar of a currency that is quoted in dollars.
 *
 *     rateBetween({ from: 'EUR', to: 'USD' }, { 'EURUSD=X': '1.0436' })                        // '1.0436'
 *     rateBetween({ from: 'EUR', to: 'JPY' }, { 'EURUSD=X': '1.1', 'USDJPY=X': '150' })        // '165'
 */
export function rateBetween(
  { from, to }: { from: string; to: string },
  closes: Readonly<Record<string, string>>,
): string | null {
  if (from === to) return '1';
  const [value, unit] = [inHub(from, closes), inHub(to, closes)];
  if (!value || !unit) return null;
  return quotient(value.dividend.times(unit.divisor), value.divisor.times(unit.dividend));
}

/** The value of a unit of a currency in dollars as a fraction: a close, or one over a close. */
function inHub(currency: string, closes: Readonly<Record<string, string>>) {
  const symbol = rateSymbolOf(currency);
  if (symbol === null) return { dividend: one, divisor: one };
  const close = closes[symbol];
  if (close === undefined) return null;
  return quotedInHub.includes(currency)
    ? { dividend: new Big(close), divisor: one }
    : { dividend: one, divisor: new Big(close) };
}

const one = new Big(1);

// Truncated far after the last digit of the result, so that nothing is rounded twice.
const Quotient = Big();
Quotient.DP = 60;
Quotient.RM = Big.roundDown;

const quotient = (dividend: Big, divisor: Big): string =>
  new Quotient(dividend).div(divisor).round(rateDecimals, Big.roundHalfUp).toFixed();
