import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { MarketDataProvider } from './provider.ts';

/** Calls of a provider since its creation, failed ones included. Counts by symbol cover the first 100,000 symbols. */
export interface RequestCounts {
  lookup: number;
  history: number;
  /** History requests by symbol: a second one is duplicate work. */
  histories: Record<string, number>;
  /** Lookups by symbol. */
  lookups: Record<string, number>;
}

const namesMax = 100_000; // 10 MB: a client that invents symbols must not fill the memory

export type CountingProvider = MarketDataProvider & { requests(): RequestCounts };

/** One finished call. `result` is `ok` or the code of the failure. */
export interface ProviderCall {
  kind: 'lookup' | 'history';
  result: string;
  seconds: number;
}

export interface CountingOptions {
  onCall?: (call: ProviderCall) => void;
  clock?: Pick<Clock, 'now'>;
}

/**
 * Wraps a provider to count its calls, for metrics and for tests of "one fetch per symbol".
 *
 *     const provider = countRequests(simulatedProvider({ clock }));
 *     await provider.history({ symbol: 'AAPL', from, to });
 *     provider.requests().histories;   // { AAPL: 1 }
 */
export function countRequests(
  provider: MarketDataProvider,
  { onCall, clock }: CountingOptions = {},
): CountingProvider {
  const counts = { lookup: 0, history: 0 };
  const histories = new Map<string, number>();
  const lookups = new Map<string, number>();
  const add = (to: Map<string, number>, symbol: string) => {
    if (to.has(symbol) || to.size < namesMax) to.set(symbol, (to.get(symbol) ?? 0) + 1);
  };
  const timed = async <Answer>(
    { kind, signal }: { kind: ProviderCall['kind']; signal: AbortSignal | undefined },
    ask: () => Promise<Answer>,
    of: (answer: Answer) => string,
  ) => {
    if (!onCall || !clock) return ask();
    const start = clock.now();
    const report = (result: string) =>
      onCall({ kind, result, seconds: Math.max(0, clock.now() - start) / 1000 });
    try {
      const given = await ask();
      report(of(given));
      return given;
    } catch (error) {
      report(failureOf(error, signal));
      throw error;
    }
  };
  return {
    name: provider.name,
    lookup(symbols, options) {
      counts.lookup += 1;
      for (const symbol of symbols) add(lookups, symbol);
      return timed(
        { kind: 'lookup', signal: options?.signal },
        () => provider.lookup(symbols, options),
        (verdicts) => (verdicts.some(({ verdict }) => verdict === 'unverifiable') ? 'unverifiable' : 'ok'),
      );
    },
    history(request) {
      counts.history += 1;
      add(histories, request.symbol);
      return timed(
        { kind: 'history', signal: request.signal },
        () => provider.history(request),
        () => 'ok',
      );
    },
    requests: () => ({
      ...counts,
      histories: Object.fromEntries(histories),
      lookups: Object.fromEntries(lookups),
    }),
  };
}

function failureOf(error: unknown, signal: AbortSignal | undefined): string {
  if (signal?.aborted) return 'aborted'; // the job was cancelled, or the node is stopping
  return error instanceof AppError ? error.code : 'internal_error';
}
