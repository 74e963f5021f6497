import type { FeedEntry } from '../api/feed.ts';
import type { Clock } from '../clock.ts';
import { channels } from './ports.ts';
import type { SymbolQueueEdge } from './symbol.queue.ts';

export interface TransitionFeed {
  /** The listener gets everything committed after the answered position, in order, none twice. */
  subscribe(listener: (entry: FeedEntry) => void): { position: number; close(): void };
  /** Resolves once the listeners were told everything up to that position; rejects with the signal. */
  reached(position: number, signal: AbortSignal): Promise<void>;
  /** The last position read, and when there was last nothing behind it (epoch milliseconds). */
  status(): { position: number; caughtUpAt: number };
  close(): Promise<void>;
}

/** What comes after a position: entries up to `until`, all of them, and where the feed stands by now. */
export interface FeedPage {
  entries: readonly FeedEntry[];
  until: number;
  head: number;
}

const pollMs = 1000; // a notification can be lost with its connection

/**
 * The committed feed, read in order. NOTIFY only says that there is something to read, so whatever is lost with a
 * connection is found by the next look, at the latest after a second.
 */
export async function startTransitionFeed({
  begin,
  read,
  queue,
  clock,
  log,
  onGap,
}: {
  /** The position from which on it is read. */
  begin: () => Promise<number>;
  read: (position: number) => Promise<FeedPage>;
  queue: Pick<SymbolQueueEdge, 'listen'>;
  clock: Clock;
  log: (error: unknown) => void;
  /** The connection was lost, or the feed cannot be read: what was learnt from it may have holes until it is read on. */
  onGap: () => void;
}): Promise<TransitionFeed> {
  const listeners = new Set<(entry: FeedEntry) => void>();
  const waiting = new Set<{ position: number; arrive: () => void }>();
  const stop = new AbortController();
  let position = await begin();
  let reading: Promise<void> | null = null;
  let again = false;
  let caughtUpAt = clock.now();

  const tell = (entry: FeedEntry) => {
    position = entry.position;
    for (const listener of listeners) {
      try {
        listener(entry);
      } catch (error) {
        log(error);
      }
    }
  };
  const readOn = async () => {
    try {
      while (again && !stop.signal.aborted) {
        again = false;
        const { entries, until, head } = await read(position);
        entries.forEach(tell);
        // A snapshot that changed twice has one place only: the other one is nobody's.
        position = Math.max(position, until);
        for (const waiter of waiting) if (waiter.position <= position) waiter.arrive();
        if (until < head) again = true;
        else caughtUpAt = clock.now();
      }
    } catch (error) {
      onGap();
      if (!stop.signal.aborted) log(error);
    } finally {
      reading = null;
    }
  };
  const wake = () => {
    again = true;
    reading ??= readOn();
  };
  const poll = async () => {
    for (;;) {
      await clock.sleepUntil(clock.now() + pollMs, stop.signal);
      wake();
    }
  };

  const listening = await queue.listen(channels.feed, wake, () => {
    onGap();
    wake();
  });
  poll().catch(() => {}); // ends with the signal
  return {
    subscribe(listener) {
      listeners.add(listener);
      return { position, close: () => void listeners.delete(listener) };
    },
    async reached(wanted, signal) {
      if (wanted <= position) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiter = { position: wanted, arrive: resolve };
      const both = AbortSignal.any([signal, stop.signal]);
      const give = () => reject(both.reason);
      waiting.add(waiter);
      both.addEventListener('abort', give, { once: true });
      if (both.aborted) give();
      wake();
      await promise.finally(() => {
        waiting.delete(waiter);
        both.removeEventListener('abort', give);
      });
    },
    status: () => ({ position, caughtUpAt }),
    async close() {
      stop.abort(new Error('the feed is closed'));
      await listening.close();
      await reading;
    },
  };
}
