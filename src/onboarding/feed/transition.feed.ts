import type { FeedEntry } from '../../contract/feed.ts';
import { endOfTurn } from '../../kernel/batching.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { SymbolQueueEdge } from '../claims/symbol.queue.ts';
import { channels } from '../job/ports.ts';

export interface TransitionFeed {
  /** The listener gets everything committed after the answered position, in order, none twice. */
  subscribe(listener: (entry: FeedEntry) => void): { position: number; close(): void };
  /** Resolves once the listeners were told everything up to that position; rejects with the signal. */
  reached(position: number, signal: AbortSignal): Promise<void>;
  /**
   * What a commit of this node will have written, in order, or nothing where it cannot tell. It is told without being
   * read where it is what comes next, and notifications wait for it; a commit that rejects is read like anybody's.
   */
  offer(commit: Promise<readonly FeedEntry[]>): void;
  /** The last position told, and when there was last nothing behind it (epoch milliseconds). */
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
 * The committed feed, in order. NOTIFY only says how far it goes, so whatever is lost with a connection is found by
 * the next look, at the latest after a second.
 *
 * Most of what a node tells it has committed itself: that needs no reading. Positions are gapless, so what stands right
 * behind the last one told comes next, whoever says so; a page that was being read meanwhile has it once more.
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
  const waiting = new Set<{ position: number; arrive: () => void; leave: (reason: unknown) => void }>();
  const stop = new AbortController();
  let position = await begin();
  let reading: Promise<void> | null = null;
  let wanted = position;
  const commits = new Set<Promise<void>>();
  let heard: number | null = null;
  let caughtUpAt = clock.now();

  const tell = (entry: FeedEntry) => {
    if (entry.position <= position) return;
    position = entry.position;
    for (const listener of listeners) {
      try {
        listener(entry);
      } catch (error) {
        log(error);
      }
    }
  };
  const arrive = () => {
    for (const waiter of waiting) if (waiter.position <= position) waiter.arrive();
  };
  const readOn = async () => {
    try {
      while (wanted > position && !stop.signal.aborted) {
        wanted = position; // what the next page does not have was not there
        const { entries, until, head } = await read(position);
        entries.forEach(tell);
        // A snapshot that changed twice has one place only: the other one is nobody's.
        position = Math.max(position, until);
        arrive();
        if (until < head) wanted = Math.max(wanted, head);
        else caughtUpAt = clock.now();
      }
    } catch (error) {
      onGap();
      if (!stop.signal.aborted) log(error);
    } finally {
      reading = null;
    }
  };
  const wake = (to = Number.POSITIVE_INFINITY) => {
    if (to <= position) return;
    wanted = Math.max(wanted, to);
    reading ??= readOn();
  };
  // A notification often overtakes the answer of the commit that it is about.
  const hear = (to: number) => {
    if (to <= position) return;
    if (commits.size === 0 || waiting.size > 0) return wake(to);
    if (heard === null) {
      Promise.all(commits).then(() => {
        const until = heard!;
        heard = null;
        wake(until);
      });
    }
    heard = Math.max(heard ?? to, to);
  };
  const accept = async (commit: Promise<readonly FeedEntry[]>) => {
    const entries = await commit.catch(() => []);
    await endOfTurn(); // what the commit has set free leaves before anybody hears of it
    if (stop.signal.aborted) return;
    const next = entries.find((entry) => entry.position > position);
    if (next?.position === position + 1) entries.forEach(tell);
    else if (next) hear(entries.at(-1)!.position);
    arrive();
  };
  const poll = async () => {
    for (;;) {
      await clock.sleepUntil(clock.now() + pollMs, stop.signal);
      wake();
    }
  };

  const listening = await queue.listen(
    channels.feed,
    (payload) => hear(endOf(payload)),
    () => {
      onGap();
      wake();
    },
  );
  poll().catch(() => {}); // ends with the signal
  return {
    subscribe(listener) {
      listeners.add(listener);
      return { position, close: () => void listeners.delete(listener) };
    },
    async reached(wanted, signal) {
      if (wanted <= position) return;
      signal.throwIfAborted();
      stop.signal.throwIfAborted();
      // Not `AbortSignal.any` with our own: a signal remembers each one that was made of it, for as long as it lives.
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiter = { position: wanted, arrive: resolve, leave: reject };
      const leave = () => reject(signal.reason);
      waiting.add(waiter);
      signal.addEventListener('abort', leave, { once: true });
      wake();
      await promise.finally(() => {
        waiting.delete(waiter);
        signal.removeEventListener('abort', leave);
      });
    },
    offer(commit) {
      const over = accept(commit).finally(() => commits.delete(over));
      commits.add(over);
    },
    status: () => ({ position, caughtUpAt }),
    async close() {
      stop.abort(new Error('the feed is closed'));
      for (const { leave } of waiting) leave(stop.signal.reason);
      await listening.close();
      await reading;
    },
  };
}

/** The last position that a notification is about; of one that cannot be read, all that there may be. */
function endOf(payload: string): number {
  try {
    const { to } = JSON.parse(payload) as { to: unknown };
    if (Number.isSafeInteger(to)) return to as number;
  } catch {}
  return Number.POSITIVE_INFINITY;
}
