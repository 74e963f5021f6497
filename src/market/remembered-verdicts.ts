import { LRUCache } from 'lru-cache';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { LookupOptions, MarketDataProvider, Verdict } from './provider.ts';

const verdictsMax = 20_000;
const validMs = 60 * 60_000; // an existing symbol does not disappear within an hour
const invalidMs = 10 * 60_000; // a new listing must not stay invalid for long

type VerifyOptions = Pick<LookupOptions, 'since'>;

/** Verdicts on symbols. An outage is a verdict (`unverifiable`), not an exception. */
export type Verify = (symbols: readonly string[], options?: VerifyOptions) => Promise<Verdict[]>;

/**
 * Caches verdicts on symbols: valid ones for an hour, invalid ones for ten minutes, `unverifiable` ones not at all.
 * Concurrent lookups of a symbol share one request (single-flight). Does not throw on an outage: its symbols are
 * `unverifiable`.
 */
export function rememberVerdicts(provider: Pick<MarketDataProvider, 'lookup'>, clock: Clock): Verify {
  const known = new LRUCache<string, Verdict>({ max: verdictsMax, perf: clock, ttlResolution: 0 });
  const flights = new Map<string, Promise<Verdict>>();

  const ask = (symbols: readonly string[], options: VerifyOptions | undefined): void => {
    const answers = lookup(provider, symbols, options).then((verdicts) => {
      const given = new Map(verdicts.map((verdict) => [verdict.symbol, verdict]));
      for (const verdict of verdicts) {
        if (verdict.verdict === 'unverifiable') continue;
        known.set(verdict.symbol, verdict, { ttl: verdict.verdict === 'valid' ? validMs : invalidMs });
      }
      return given;
    });
    for (const symbol of symbols) {
      const answer = answers
        .then((given) => given.get(symbol) ?? unanswered(symbol))
        .finally(() => flights.delete(symbol));
      answer.catch(() => {}); // the callers await it and get the error
      flights.set(symbol, answer);
    }
  };

  return async (symbols, options) => {
    // Read before any request: a verdict that expires while the provider answers was valid when the lookup began.
    const remembered = new Map(symbols.map((symbol) => [symbol, known.get(symbol)]));
    const missing = [...remembered.keys()].filter(
      (symbol) => !remembered.get(symbol) && !flights.has(symbol),
    );
    if (missing.length > 0) ask(missing, options);
    return Promise.all(symbols.map((symbol) => remembered.get(symbol) ?? flights.get(symbol)!));
  };
}

const unanswered = (symbol: string): Verdict => ({
  symbol,
  verdict: 'unverifiable',
  reason: 'the provider did not answer for this symbol',
});

async function lookup(
  provider: Pick<MarketDataProvider, 'lookup'>,
  symbols: readonly string[],
  options: VerifyOptions | undefined,
): Promise<Verdict[]> {
  try {
    return await provider.lookup(symbols, options);
  } catch (error) {
    if (!(error instanceof AppError) || !error.retryable) throw error;
    const { message: reason, retryAt } = error;
    const outage = { verdict: 'unverifiable', reason, ...(retryAt !== undefined && { retryAt }) } as const;
    return symbols.map((symbol) => ({ symbol, ...outage }));
  }
}
