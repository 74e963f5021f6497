import type { FeedEntry } from '../../contract/feed.ts';
import { endOfTurn } from '../../kernel/batching.ts';
import type { Clock } from '../../kernel/clock.ts';
import { channels, type Notifications } from '../job/ports.ts';

export interface TransitionFeed {
  /** The listener gets every entry committed after the returned position, in order and exactly once. */
  subscribe(listener: (entry: FeedEntry) => void): { position: number; close(): void };
  /** Resolves when the listeners have received everything up to this position. Rejects when the signal aborts. */
  reached(position: number, signal: AbortSignal): Promise<void>;
  /**
   * Passes the entries of a commit of this node, in order; empty if it does not know their positions. If they are the
   * next entries of the feed, they are delivered without a read. Notifications wait for the commit. If the commit
   * rejects, the feed is read as for commits of other nodes.
   */
  offer(commit: Promise<readonly FeedEntry[]>): void;
  /** The last delivered position, and when the feed was last fully read (epoch milliseconds). */
  status(): { position: number; caughtUpAt: number };
  close(): Promise<void>;
}

/** The entries after a position: all of them up to `until`, and the current head of the feed. */
export interface FeedPage {
  entries: readonly FeedEntry[];
  until: number;
  head: number;
}

const pollMs = 1000; // a notification can be lost with its connection

/**
 * Delivers the committed feed in order. NOTIFY carries only the new head, so a notification that is lost with its
 * connection costs at most one second: the next poll finds the entries.
 *
 * Most entries that a node delivers come from its own commits and need no read. Positions are gapless, so an entry at the
 * next position is the next entry, no matter where it came from. A page read at the same time contains it again; entries
 * at or below the delivered position are skipped.
 */
export async function startTransitionFeed({
  begin,
  read,
  queue,
  clock,
  log,
  onGap,
}: {
  /** The position after which to start. */
  begin: () => Promise<number>;
  read: (position: number) => Promise<FeedPage>;
  queue: Notifications;
  clock: Clock;
  log: (error: unknown) => void;
  /** Called when the connection was lost or the feed cannot be read. Until it is read again, projections of it may be stale. */
  onGap: () => void;
}): Promise<TransitionFeed> {
  const listeners = new Set<(entry: FeedEntry) => void>();
  const waiting = new Set<{ position: number; arrive: () => void; leave: (reason: unknown) => void }>();
  const stop = new AbortController();
  let position = await begin();
  let reading: Promise<void> | null = null;
  let wanted = position;
  const commits = new Set<Promise<void>>();
  let notifiedUpTo: number | null = null;
  let caughtUpAt = clock.now();

  const deliver = (entry: FeedEntry) => {
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
  const catchUp = async () => {
    try {
      while (wanted > position && !stop.signal.aborted) {
        wanted = position; // an entry missing from the next page was not committed yet
        const { entries, until, head } = await read(position);
        entries.forEach(deliver);
        // A snapshot that changed twice keeps only its newer position; the older position stays empty.
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
    reading ??= catchUp();
  };
  // A notification often arrives before the result of the commit that caused it.
  const onNotification = (to: number) => {
    if (to <= position) return;
    if (commits.size === 0 || waiting.size > 0) return wake(to);
    if (notifiedUpTo === null) {
      Promise.all(commits).then(() => {
        const until = notifiedUpTo!;
        notifiedUpTo = null;
        wake(until);
      });
    }
    notifiedUpTo = Math.max(notifiedUpTo ?? to, to);
  };
  const deliverCommit = async (commit: Promise<readonly FeedEntry[]>) => {
    const entries = await commit.catch(() => []);
    await endOfTurn(); // jobs that this commit unblocks send their next requests before the listeners run
    if (stop.signal.aborted) return;
    const next = entries.find((entry) => entry.position > position);
    if (next?.position === position + 1) entries.forEach(deliver);
    else if (next) onNotification(entries.at(-1)!.position);
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
    (payload) => onNotification(lastPositionOf(payload)),
    () => {
      onGap();
      wake();
    },
  );
  poll().catch(() => {}); // rejects when the signal aborts
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
      const delivered = deliverCommit(commit).finally(() => commits.delete(delivered));
      commits.add(delivered);
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

/** The last position in a notification; infinity if its payload is invalid, so that everything is read. */
function lastPositionOf(payload: string): number {
  try {
    const { to } = JSON.parse(payload) as { to: unknown };
    if (Number.isSafeInteger(to)) return to as number;
  } catch {}
  return Number.POSITIVE_INFINITY;
}
