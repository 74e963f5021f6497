import { movePoint } from './decimals.ts';
import { majorUnit } from './minor-units.ts';

/** What a Currency cell means for the prices of its row. */
export interface PriceUnit {
  /** ISO 4217 code of the major currency. */
  currency: string;
  /** The minor unit as markets spell it, or null if prices are already in the major currency. */
  quoteUnit: string | null;
}

/**
 * Reads a Currency cell: an ISO code in any case, or `GBp`, `GBX`, `ZAc`, `ILA`. Null for anything else.
 *
 * Only case distinguishes pence from pounds, a factor of 100, so a pound in other mixed case (`Gbp`) is refused.
 *
 *     readCurrency('GBp')   // { currency: 'GBP', quoteUnit: 'GBp' }
 *     readCurrency('gbp')   // { currency: 'GBP', quoteUnit: null }
 */
export function readCurrency(text: string): PriceUnit | null {
  const upper = text.toUpperCase();
  const quoteUnit = text === 'GBp' ? text : unambiguousMinorUnits.get(upper);
  if (quoteUnit) return { currency: majorUnit(quoteUnit).currency, quoteUnit };
  if (!isCurrency(upper)) return null;
  const mixed = text !== upper && text !== text.toLowerCase();
  return mixed && upper === 'GBP' ? null : { currency: upper, quoteUnit: null };
}

const unambiguousMinorUnits = new Map([
  ['GBX', 'GBX'],
  ['ZAC', 'ZAc'],
  ['ILA', 'ILA'],
]);

/** Converts a price to the major currency, exactly, by moving the decimal point. A null quote unit changes nothing. */
export const toMajor = (price: string, quoteUnit: string | null): string =>
  quoteUnit === null ? price : movePoint(price, -majorUnit(quoteUnit).places);

/** Whether a text is the ISO 4217 code, in capitals, of a currency in use. Excludes metals and fund codes. */
export const isCurrency = (code: string): boolean => currencies.has(code);

/** The number of decimals of a currency by ISO 4217: USD 2, JPY 0, KWD 3. */
export const minorDigits = (currency: string): number => unusualMinorDigits.get(currency) ?? 2;

// A table instead of Intl: ICU rounds to the coins in use (no decimals for the Serbian dinar, where ISO has two), and
// its list differs between versions of Node and still has the Deutsche Mark. Two nodes must publish the same total.
const currencies = new Set(
  (
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD ' +
    'CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ ' +
    'GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR ' +
    'LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN ' +
    'PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB ' +
    'TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG'
  ).split(' '),
);

/** The currencies without hundredths, with their number of decimals, for SQL statements that need all of them. */
export const unusualMinorDigits: ReadonlyMap<string, number> = new Map<string, number>([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ').map((c) => [c, 0] as const),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((c) => [c, 3] as const),
]);
