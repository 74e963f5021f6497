import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { MarketDataProvider } from './provider.ts';

/** What was asked of a provider since it was made, failed calls included; by symbol of the first 100,000 of them. */
export interface RequestCounts {
  lookup: number;
  history: number;
  /** Histories asked for, by symbol: a second request for a symbol is work that somebody paid for twice. */
  histories: Record<string, number>;
  /** Symbols asked about, by symbol. */
  lookups: Record<string, number>;
}

const namesMax = 100_000; // 10 MB: whoever makes up symbol after symbol must not fill the memory

export type CountingProvider = MarketDataProvider & { requests(): RequestCounts };

/** One call that has been answered. `result` is `ok` or the code of the failure. */
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
 * A provider that counts what is asked of it, for metrics and for tests of "one fetch per symbol".
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
  if (signal?.aborted) return 'aborted'; // the job was cancelled, or the node stops
  return error instanceof AppError ? error.code : 'internal_error';
}
