import Big from 'big.js';

/** The currency through which all others are converted: every one of them is quoted against it. */
export const hubCurrency = 'USD';

// The market's own way round. A provider gives these with four to six decimals, which is six digits of 1.0436 but two
// of a yen in dollars: `USDJPY=X` has the digits, `JPYUSD=X` has not.
export const quotedInHub: readonly string[] = ['AUD', 'EUR', 'GBP', 'NZD'];

/** Decimals of a rate: 12 significant digits even for the rial in Kuwaiti dinars. */
export const rateDecimals = 18;

/** Days before a date whose close may still be the last one on or before it: the longest holidays, with weekends. */
export const rateSlackDays = 10;

/**
 * The provider's symbol of the one series in which a currency is quoted; null for the dollar, which needs none.
 *
 *     rateSymbolOf('GBP')   // 'GBPUSD=X'
 *     rateSymbolOf('JPY')   // 'USDJPY=X'
 */
export function rateSymbolOf(currency: string): string | null {
  if (currency === hubCurrency) return null;
  return quotedInHub.includes(currency) ? `${currency}${hubCurrency}=X` : `${hubCurrency}${currency}=X`;
}

/** The symbols that a conversion between two currencies needs, ascending: none, one, or two by way of the dollar. */
export function rateSymbolsBetween(from: string, to: string): string[] {
  if (from === to) return [];
  return [from, to].flatMap((currency) => rateSymbolOf(currency) ?? []).sort();
}

/**
 * How much of `to` one unit of `from` is worth, given the closes of their series; null where one is missing.
 *
 * The quotient of the closes, rounded once, half away from zero, to 18 decimals: exact wherever the quotient has no
 * more, as every rate into the dollar of a currency that is quoted in it.
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

/** What a unit of a currency is worth in dollars, as a fraction: a close, or one over a close. */
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

// Cut far behind the last digit, so that nothing is rounded twice.
const Quotient = Big();
Quotient.DP = 60;
Quotient.RM = Big.roundDown;

const quotient = (dividend: Big, divisor: Big): string =>
  new Quotient(dividend).div(divisor).round(rateDecimals, Big.roundHalfUp).toFixed();
