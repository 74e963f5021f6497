import type { FeedEntry } from './api/feed.ts';
import { symbolCache } from './universe/cache.ts';
import type { SymbolQueries } from './universe/symbol.query.ts';

/** What this node remembers of symbols, how one gets into it, and what the feed does to it. */
export function memory({ symbols }: { symbols: SymbolQueries }, log: (error: unknown) => void) {
  const cache = symbolCache();
  const warm = async (symbol: string) => {
    const keep = cache.begin(symbol);
    for (const status of await symbols.statuses([symbol])) keep(status);
  };
  const hear = (entry: FeedEntry) => {
    if (entry.type !== 'transition') return;
    cache.invalidate(entry.symbol);
    if (entry.to === 'completed') warm(entry.symbol).catch(log);
  };
  return { cache, warm, hear };
}
