import { LRUCache } from 'lru-cache';
import type { SymbolStatusView } from '../contract/schemas.ts';

/**
 * The statuses of ready symbols in memory, which pollers request most often. A projection that can be rebuilt any time.
 *
 * It is updated only from the committed feed, and emptied while the feed is disconnected, so it may lag behind the
 * database but is never ahead. Admission, valuation and detection do not read it.
 */
export interface SymbolCache {
  get(symbol: string): SymbolStatusView | undefined;
  /** Starts a read. The returned function stores its result, unless a transition of the symbol arrived in between. */
  begin(symbol: string): (status: SymbolStatusView) => void;
  /** Removes a symbol after a committed transition. */
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
