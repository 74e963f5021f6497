import { LRUCache } from 'lru-cache';
import type { SymbolStatusView } from '../contract/schemas.ts';

/**
 * The statuses of ready symbols, in memory: what pollers ask for most. A projection, rebuilt at will.
 *
 * It learns only from the committed feed and is emptied while that is disconnected, so it may be late, never early.
 * Admission, valuation and detection never read it.
 */
export interface SymbolCache {
  get(symbol: string): SymbolStatusView | undefined;
  /** Takes a status that was read from the database, unless a transition of the symbol has come since `begin`. */
  begin(symbol: string): (status: SymbolStatusView) => void;
  /** A transition of the symbol was committed: what is remembered of it no longer holds. */
  invalidate(symbol: string): void;
  clear(): void;
  readonly size: number;
}

const symbolsMax = 10_000; // about 5 MB

export function symbolCache(): SymbolCache {
  const ready = new LRUCache<string, SymbolStatusView>({ max: symbolsMax });
  const changes = new LRUCache<string, object>({ max: symbolsMax });
  let generation = {};
  return {
    get: (symbol) => ready.get(symbol),
    begin(symbol) {
      const [change, startGeneration] = [changes.get(symbol), generation];
      return (status) => {
        if (status.status !== 'ready' || changes.get(symbol) !== change || generation !== startGeneration)
          return;
        ready.set(symbol, status);
      };
    },
    invalidate(symbol) {
      ready.delete(symbol);
      changes.set(symbol, {});
    },
    clear() {
      ready.clear();
      generation = {};
    },
    get size() {
      return ready.size;
    },
  };
}
