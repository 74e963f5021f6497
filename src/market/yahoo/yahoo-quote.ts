import { z } from 'zod';
import { majorUnit } from '../decimals.ts';
import { type Instrument, instrumentTypes } from '../provider.ts';
import { sessionEndOf } from '../session-ends.ts';

const quoteSchema = z.object({
  symbol: z.string(),
  quoteType: z.enum(instrumentTypes),
  currency: z.string().length(3),
  exchange: z.string(),
  exchangeTimezoneName: z.string(),
  longName: z.string().nullish(),
  shortName: z.string().nullish(),
});

const delistedExchange = 'YHD'; // where Yahoo keeps symbols that no longer trade, or now mean something else

/**
 * The instruments that a `quote()` answer vouches for, by symbol.
 *
 * Left out are those that it says too little about: a kind of thing that we do not know, no currency, no time zone,
 * the exchange of the dead. Like an absent symbol they are doubtful, not invalid: Yahoo has for days answered a
 * batch with its last symbol only. The chart decides.
 */
export function usableQuotes(answer: unknown): Map<string, Instrument> {
  const usable = new Map<string, Instrument>();
  for (const entry of Array.isArray(answer) ? answer : []) {
    const quote = quoteSchema.safeParse(entry);
    if (!quote.success || quote.data.exchange === delistedExchange) continue;
    const { quoteType: type, currency, exchange, exchangeTimezoneName: timeZone } = quote.data;
    const symbol = quote.data.symbol.toUpperCase();
    usable.set(symbol, {
      symbol,
      name: quote.data.longName ?? quote.data.shortName ?? null,
      type,
      currency: majorUnit(currency).currency,
      exchange,
      timeZone,
      sessionEnd: sessionEndOf({ type, timeZone }),
    });
  }
  return usable;
}
