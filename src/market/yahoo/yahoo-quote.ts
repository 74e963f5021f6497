import { z } from 'zod';
import { majorUnit } from '../minor-units.ts';
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

const delistedExchange = 'YHD'; // Yahoo's exchange of symbols that no longer trade, or have a new meaning

/**
 * The instruments that a `quote()` response describes completely, by symbol.
 *
 * Omits quotes with an unknown type, without a currency or time zone, or on the exchange of delisted symbols. An
 * omitted or missing symbol is not invalid: for days Yahoo answered a batch with only its last symbol. The chart
 * decides.
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
