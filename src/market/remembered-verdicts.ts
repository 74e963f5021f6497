import { LRUCache } from 'lru-cache';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { LookupOptions, MarketDataProvider, Verdict } from './provider.ts';

const verdictsMax = 20_000;
const validMs = 60 * 60_000; // what exists does not vanish within the hour
const invalidMs = 10 * 60_000; // a new listing should not be called unknown for long

type VerifyOptions = Pick<LookupOptions, 'since'>;

/** Verdicts on symbols; an outage is one too, never an exception. */
export type Verify = (symbols: readonly string[], options?: VerifyOptions) => Promise<Verdict[]>;

/**
 * Verdicts on symbols, remembered for a while: valid ones for an hour, invalid ones for ten minutes. Whoever asks while
 * another one's question is under way shares its answer. What could not be verified is asked again at once. Never throws for an outage: those symbols are `unverifiable`.
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
      answer.catch(() => {}); // whoever asked awaits it
      flights.set(symbol, answer);
    }
  };

  return async (symbols, options) => {
    // Taken out before anything is asked: what expires while the provider answers was good when the question came.
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
  reason: 'the provider gave no verdict',
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
