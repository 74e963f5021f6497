import { statusOf } from '../../../machines/job.ts';
import type { FeedEntry } from '../../contract/feed.ts';
import type { Selector } from '../../contract/schemas.ts';

/** One thing that can be listened for, as a text. */
type Key = string;

/** What a selection listens for; the symbols of its portfolios have to be among its symbols. */
export function keysOf({ everything, symbols, portfolios, jobs, statuses }: Selector): Key[] {
  return [
    ...(everything ? ['*'] : []),
    ...(symbols ?? []).map((symbol) => `symbol ${symbol}`),
    ...(portfolios ?? []).map((id) => `portfolio ${id}`),
    ...(jobs ?? []).map((id) => `job ${id}`),
    ...(statuses ?? []).map((status) => `status ${status}`),
  ];
}

/** Whom an entry concerns. A job that leaves a status concerns whoever listens for that one too. */
export function keysOfEntry(entry: FeedEntry): Key[] {
  if (entry.type === 'snapshot.updated') return ['*', `portfolio ${entry.portfolio_id}`];
  const before = entry.from === null ? entry.status : statusOf(entry.from);
  const keys = ['*', `symbol ${entry.symbol}`, `job ${entry.job_id}`, `status ${entry.status}`];
  return before === entry.status ? keys : [...keys, `status ${before}`];
}

/** Who listens for what: an entry costs as much as it has listeners, however many there are of other things. */
export interface FeedIndex<Listener> {
  add(listener: Listener, keys: readonly Key[]): void;
  remove(listener: Listener, keys: readonly Key[]): void;
  /** Calls each listener whom the entry concerns, once. */
  notify(entry: FeedEntry, call: (listener: Listener) => void): void;
  /** Whether an entry concerns this listener. */
  concerns(listener: Listener, entry: FeedEntry): boolean;
}

export function feedIndex<Listener>(): FeedIndex<Listener> {
  // By key, how often a listener asked for it: two subscriptions of one connection may name the same symbol.
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
      const concerned = keysOfEntry(entry).flatMap((key) => byKey.get(key) ?? []);
      if (concerned.length === 1) {
        for (const listener of concerned[0]!.keys()) call(listener);
        return;
      }
      const distinct = new Set<Listener>();
      for (const listeners of concerned) for (const listener of listeners.keys()) distinct.add(listener);
      for (const listener of distinct) call(listener);
    },
    concerns: (listener, entry) => keysOfEntry(entry).some((key) => byKey.get(key)?.has(listener) ?? false),
  };
}
