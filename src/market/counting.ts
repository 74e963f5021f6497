import type { MarketDataProvider } from './provider.ts';

/** What was asked of a provider since it was made, failed calls included. */
export interface RequestCounts {
  lookup: number;
  history: number;
  /** Histories asked for, by symbol: a second request for a symbol is work that somebody paid for twice. */
  histories: Record<string, number>;
  /** Symbols asked about, by symbol. */
  lookups: Record<string, number>;
}

export type CountingProvider = MarketDataProvider & { requests(): RequestCounts };

/**
 * A provider that counts what is asked of it, for metrics and for tests of "one fetch per symbol".
 *
 *     const provider = countRequests(simulatedProvider({ clock }));
 *     await provider.history({ symbol: 'AAPL', from, to });
 *     provider.requests().histories;   // { AAPL: 1 }
 */
export function countRequests(provider: MarketDataProvider): CountingProvider {
  const counts: RequestCounts = { lookup: 0, history: 0, histories: {}, lookups: {} };
  const add = (to: Record<string, number>, symbol: string) => {
    to[symbol] = (to[symbol] ?? 0) + 1;
  };
  return {
    name: provider.name,
    lookup(symbols, options) {
      counts.lookup += 1;
      for (const symbol of symbols) add(counts.lookups, symbol);
      return provider.lookup(symbols, options);
    },
    history(request) {
      counts.history += 1;
      add(counts.histories, request.symbol);
      return provider.history(request);
    },
    requests: () => structuredClone(counts),
  };
}
