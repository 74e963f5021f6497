import type { Instrument, InstrumentType } from './provider.ts';
import { sessionEndOf } from './session-ends.ts';

/** What a symbol's spelling suggests, by the conventions of Yahoo Finance. A guess, used without a better source. */
export interface Listing {
  instrument: Instrument;
  /** The unit of its prices; null if the spelling does not say. */
  quoteUnit: string | null;
}

// Market suffixes: currency and time zone. Where an exchange quotes in both the major and the minor unit (pounds and
// pence, shekels and agorot, rand and cents) the currency is null: a wrong guess would be off by a factor of 100.
const markets: Record<string, readonly [currency: string | null, timeZone: string]> = {
  ...each('DE F BE DU HM MU SG', ['EUR', 'Europe/Berlin']),
  AS: ['EUR', 'Europe/Amsterdam'],
  BR: ['EUR', 'Europe/Brussels'],
  HE: ['EUR', 'Europe/Helsinki'],
  IR: ['EUR', 'Europe/Dublin'],
  LS: ['EUR', 'Europe/Lisbon'],
  MC: ['EUR', 'Europe/Madrid'],
  MI: ['EUR', 'Europe/Rome'],
  PA: ['EUR', 'Europe/Paris'],
  VI: ['EUR', 'Europe/Vienna'],
  SW: ['CHF', 'Europe/Zurich'],
  ST: ['SEK', 'Europe/Stockholm'],
  OL: ['NOK', 'Europe/Oslo'],
  CO: ['DKK', 'Europe/Copenhagen'],
  ...each('TO V', ['CAD', 'America/Toronto']),
  MX: ['MXN', 'America/Mexico_City'],
  SA: ['BRL', 'America/Sao_Paulo'],
  AX: ['AUD', 'Australia/Sydney'],
  NZ: ['NZD', 'Pacific/Auckland'],
  T: ['JPY', 'Asia/Tokyo'],
  HK: ['HKD', 'Asia/Hong_Kong'],
  ...each('SS SZ', ['CNY', 'Asia/Shanghai']),
  ...each('KS KQ', ['KRW', 'Asia/Seoul']),
  ...each('TW TWO', ['TWD', 'Asia/Taipei']),
  ...each('NS BO', ['INR', 'Asia/Kolkata']),
  SI: ['SGD', 'Asia/Singapore'],
  L: [null, 'Europe/London'],
  JO: [null, 'Africa/Johannesburg'],
  TA: [null, 'Asia/Jerusalem'],
};

/**
 * The instrument that the spelling of a normalised symbol suggests: no suffix is New York in dollars, `.DE` Germany in
 * euros, `EURUSD=X` an exchange rate in dollars. An unknown suffix has no currency, and its days are those of UTC.
 */
export function listingOf(symbol: string): Listing {
  const type = typeOf(symbol);
  const [quoteUnit, timeZone] = placeOf(symbol, type);
  const sessionEnd = sessionEndOf({ type, timeZone });
  const instrument = { symbol, name: null, type, currency: quoteUnit, exchange: null, timeZone, sessionEnd };
  return { instrument, quoteUnit };
}

/** The type of instrument that the spelling of a symbol suggests. */
export function typeOf(symbol: string): InstrumentType {
  if (/-(AUD|CAD|CHF|EUR|GBP|JPY|USD)$/.test(symbol)) return 'CRYPTOCURRENCY';
  if (symbol.endsWith('=X')) return 'CURRENCY';
  if (symbol.endsWith('=F')) return 'FUTURE';
  if (symbol.startsWith('^')) return 'INDEX';
  // Root, yymmdd, call or put, strike x 1000 in eight digits: the OCC symbol as Yahoo writes it.
  return /^[A-Z]{1,6}\d{6}[CP]\d{8}$/.test(symbol) ? 'OPTION' : 'EQUITY';
}

function placeOf(symbol: string, type: InstrumentType): readonly [string | null, string] {
  if (type === 'CRYPTOCURRENCY') return [symbol.slice(-3), 'UTC'];
  if (type === 'CURRENCY') return [symbol.slice(-5, -2), 'Europe/London'];
  const suffix = /\.([A-Z]+)$/.exec(symbol)?.[1];
  return suffix === undefined ? ['USD', 'America/New_York'] : (markets[suffix] ?? [null, 'UTC']);
}

function each<Place>(suffixes: string, place: Place): Record<string, Place> {
  return Object.fromEntries(suffixes.split(' ').map((suffix) => [suffix, place]));
}
