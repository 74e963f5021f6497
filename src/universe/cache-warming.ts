import type { FeedEntry } from '../contract/feed.ts';
import { batchReads } from '../kernel/batching.ts';
import type { SymbolQueries } from './symbol.query.ts';
import { symbolCache } from './symbol-cache.ts';

/** The cache of symbol statuses on this node, a function to warm it, and its feed listener, which invalidates it. */
export function warmedCache({ symbols }: { symbols: SymbolQueries }, log: (error: unknown) => void) {
  const cache = symbolCache();
  const statusOf = batchReads(async (asked) => {
    const statuses = await symbols.statuses(asked);
    return new Map(statuses.map((status) => [status.symbol, status]));
  });
  const warm = async (symbol: string) => {
    const keep = cache.begin(symbol);
    keep((await statusOf(symbol))!);
  };
  const onFeedEntry = (entry: FeedEntry) => {
    if (entry.type !== 'transition') return;
    cache.invalidate(entry.symbol);
    if (entry.to === 'completed') warm(entry.symbol).catch(log);
  };
  return { cache, warm, onFeedEntry };
}
