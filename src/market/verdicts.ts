import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { LookupOptions, MarketDataProvider, Verdict } from './provider.ts';

const verdictsMax = 20_000;
const validMs = 60 * 60_000; // what exists does not vanish within the hour
const invalidMs = 10 * 60_000; // a new listing should not be called unknown for long

type VerifyOptions = Pick<LookupOptions, 'since'>;

/** Verdicts on symbols; an outage is one too, never an exception. */
export type Verify = (symbols: readonly string[], options?: VerifyOptions) => Promise<Verdict[]>;

/**
 * Verdicts on symbols, remembered for a while: valid ones for an hour, invalid ones for ten minutes. What could not
 * be verified is asked again at once. Never throws for an outage: those symbols are `unverifiable`.
 */
export function rememberVerdicts(provider: Pick<MarketDataProvider, 'lookup'>, clock: Clock): Verify {
  const known = new LRUCache<string, Verdict>({ max: verdictsMax, perf: clock, ttlResolution: 0 });
  return async (symbols, options) => {
    // Taken out before anything is asked: what expires while the provider answers was good when the question came.
    const remembered = new Map(symbols.map((symbol) => [symbol, known.get(symbol)]));
    const unknown = symbols.filter((symbol) => !remembered.get(symbol));
    const asked = unknown.length > 0 ? await lookup(provider, unknown, options) : [];
    for (const verdict of asked) {
      if (verdict.verdict === 'unverifiable') continue;
      known.set(verdict.symbol, verdict, { ttl: verdict.verdict === 'valid' ? validMs : invalidMs });
    }
    const answered = new Map(asked.map((verdict) => [verdict.symbol, verdict]));
    return symbols.map(
      (symbol) =>
        answered.get(symbol) ??
        remembered.get(symbol) ?? { symbol, verdict: 'unverifiable', reason: 'the provider gave no verdict' },
    );
  };
}

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
