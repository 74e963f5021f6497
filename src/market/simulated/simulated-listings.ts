import { typeOf as typeOfSpelling } from '../exchange-suffixes.ts';
import type { Instrument, InstrumentType } from '../provider.ts';
import { proxies } from '../proxy-set.ts';
import { simulatedPair } from './simulated-rates.ts';

/** A symbol's listing in the simulated market, derived from its spelling alone. */
export interface SimulatedListing {
  instrument: Instrument;
  /** The unit of its quotes: the instrument's currency, or `GBp` (1/100 GBP) in London. */
  quoteUnit: string;
  /** Roughly the quote of something worth one dollar: about 100 in pence or yen. */
  priceScale: number;
  tradesWeekends: boolean;
}

interface Venue {
  currency: string;
  quoteUnit: string;
  priceScale: number;
  exchange: string;
  timeZone: string;
  sessionEnd: string;
}

const venues: Record<'newYork' | 'london' | 'xetra' | 'tokyo' | 'crypto', Venue> = {
  newYork: venue('USD', 'USD', 1, 'NYQ', 'America/New_York', '16:00'),
  london: venue('GBP', 'GBp', 100, 'LSE', 'Europe/London', '16:30'),
  xetra: venue('EUR', 'EUR', 1, 'GER', 'Europe/Berlin', '17:30'),
  tokyo: venue('JPY', 'JPY', 100, 'JPX', 'Asia/Tokyo', '15:30'),
  crypto: venue('USD', 'USD', 1, 'CCC', 'UTC', '24:00'),
};

/**
 * Where and how a normalised symbol trades in the simulated market. Null for symbols that begin with `NOPE`, the only
 * ones that do not exist.
 *
 *     simulatedListing('VOD.L')?.quoteUnit   // 'GBp', while instrument.currency is 'GBP'
 */
export function simulatedListing(symbol: string): SimulatedListing | null {
  if (symbol.startsWith('NOPE')) return null;
  const { currency, quoteUnit, priceScale, exchange, timeZone, sessionEnd } = venueOf(symbol);
  return {
    instrument: {
      symbol,
      name: `Simulated ${symbol}`,
      type: typeOf(symbol),
      currency,
      exchange,
      timeZone,
      sessionEnd,
    },
    quoteUnit,
    priceScale,
    tradesWeekends: symbol.endsWith('-USD'),
  };
}

function venueOf(symbol: string): Venue {
  const pair = simulatedPair(symbol);
  if (pair !== null) return venue(pair.quote, pair.quote, 1, 'CCY', 'Europe/London', '24:00');
  if (symbol.endsWith('.L')) return venues.london;
  if (symbol.endsWith('.DE')) return venues.xetra;
  if (symbol.endsWith('.T')) return venues.tokyo;
  if (symbol.endsWith('-USD')) return venues.crypto;
  return venues.newYork;
}

function typeOf(symbol: string): InstrumentType {
  return (proxies as readonly string[]).includes(symbol) ? 'ETF' : typeOfSpelling(symbol);
}

function venue(
  currency: string,
  quoteUnit: string,
  priceScale: number,
  exchange: string,
  timeZone: string,
  sessionEnd: string,
): Venue {
  return { currency, quoteUnit, priceScale, exchange, timeZone, sessionEnd };
}
