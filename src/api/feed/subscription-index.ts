import { statusOf } from '../../../machines/job.ts';
import type { FeedEntry } from '../../contract/feed.ts';
import type { Selector } from '../../contract/schemas.ts';

/** Something that can be subscribed to, as text. */
type Key = string;

/** The keys of a selector. Its `symbols` must include those of its portfolios. */
export function keysOf({ everything, symbols, portfolios, jobs, statuses }: Selector): Key[] {
  return [
    ...(everything ? ['*'] : []),
    ...(symbols ?? []).map((symbol) => `symbol ${symbol}`),
    ...(portfolios ?? []).map((id) => `portfolio ${id}`),
    ...(jobs ?? []).map((id) => `job ${id}`),
    ...(statuses ?? []).map((status) => `status ${status}`),
  ];
}

/** The keys that an entry matches. A change of status matches the old status as well. */
export function keysOfEntry(entry: FeedEntry): Key[] {
  if (entry.type === 'snapshot.updated') return ['*', `portfolio ${entry.portfolio_id}`];
  const before = entry.from === null ? entry.status : statusOf(entry.from);
  const keys = ['*', `symbol ${entry.symbol}`, `job ${entry.job_id}`, `status ${entry.status}`];
  return before === entry.status ? keys : [...keys, `status ${before}`];
}

/** Finds the listeners of an entry by key: the cost depends on their number, not on that of all subscriptions. */
export interface FeedIndex<Listener> {
  add(listener: Listener, keys: readonly Key[]): void;
  remove(listener: Listener, keys: readonly Key[]): void;
  /** Calls each listener of the entry once. */
  notify(entry: FeedEntry, call: (listener: Listener) => void): void;
  /** Whether an entry concerns this listener. */
  concerns(listener: Listener, entry: FeedEntry): boolean;
}

export function feedIndex<Listener>(): FeedIndex<Listener> {
  // Reference counts: two subscriptions of one connection may name the same symbol.
  const byKey = new Map<Key, Map<Listener, number>>();
  return {
    add(listener, keys) {
      for (const key of keys) {
        const listeners = byKey.get(key) ?? new Map<Listener, number>();
        byKey.set(key, listeners.set(listener, (listeners.get(listener) ?? 0) + 1));
      }
    },
    remove(listener, keys) {
      for (const key of keys) {
        const listeners = byKey.get(key);
        const left = (listeners?.get(listener) ?? 1) - 1;
        if (left > 0) listeners?.set(listener, left);
        else listeners?.delete(listener);
        if (listeners?.size === 0) byKey.delete(key);
      }
    },
    notify(entry, call) {
      const matching = keysOfEntry(entry).flatMap((key) => byKey.get(key) ?? []);
      if (matching.length === 1) {
        for (const listener of matching[0]!.keys()) call(listener);
        return;
      }
      const distinct = new Set<Listener>();
      for (const listeners of matching) for (const listener of listeners.keys()) distinct.add(listener);
      for (const listener of distinct) call(listener);
    },
    concerns: (listener, entry) => keysOfEntry(entry).some((key) => byKey.get(key)?.has(listener) ?? false),
  };
}
