import type { TransitionView } from '../api/schemas.ts';
import type { Clock } from '../clock.ts';
import type { JobQueries } from './job.query.ts';
import { channels } from './ports.ts';
import type { SymbolQueueEdge } from './symbol.queue.ts';

export interface TransitionFeed {
  /** The listener gets every transition committed after the answered position, in order, none twice. */
  subscribe(listener: (transition: TransitionView) => void): { position: number; close(): void };
  /** The last position read, and when there was last nothing behind it (epoch milliseconds). */
  status(): { position: number; caughtUpAt: number };
  close(): Promise<void>;
}

const batch = 500;
const pollMs = 1000; // a notification can be lost with its connection

/**
 * The committed journal, read in order. NOTIFY only says that there is something to read, so whatever is lost with a
 * connection is found by the next look, at the latest after a second.
 */
export async function startTransitionFeed({
  queries,
  queue,
  clock,
  log,
  onReconnect,
}: {
  queries: Pick<JobQueries, 'transitionsAfter' | 'feedPosition'>;
  queue: Pick<SymbolQueueEdge, 'listen'>;
  clock: Clock;
  log: (error: unknown) => void;
  /** The connection was lost for a while: what was learnt from the feed may have holes until it is read on. */
  onReconnect: () => void;
}): Promise<TransitionFeed> {
  const listeners = new Set<(transition: TransitionView) => void>();
  const stop = new AbortController();
  let position = await queries.feedPosition();
  let reading: Promise<void> | null = null;
  let again = false;
  let caughtUpAt = clock.now();

  const tell = (transition: TransitionView) => {
    position = transition.position;
    for (const listener of listeners) {
      try {
        listener(transition);
      } catch (error) {
        log(error);
      }
    }
  };
  const read = async () => {
    try {
      while (again && !stop.signal.aborted) {
        again = false;
        const transitions = await queries.transitionsAfter(position, batch);
        transitions.forEach(tell);
        if (transitions.length === batch) again = true;
        else caughtUpAt = clock.now();
      }
    } catch (error) {
      if (!stop.signal.aborted) log(error);
    } finally {
      reading = null;
    }
  };
  const wake = () => {
    again = true;
    reading ??= read();
  };
  const poll = async () => {
    for (;;) {
      await clock.sleepUntil(clock.now() + pollMs, stop.signal);
      wake();
    }
  };

  const listening = await queue.listen(channels.feed, wake, () => {
    onReconnect();
    wake();
  });
  poll().catch(() => {}); // ends with the signal
  return {
    subscribe(listener) {
      listeners.add(listener);
      return { position, close: () => void listeners.delete(listener) };
    },
    status: () => ({ position, caughtUpAt }),
    async close() {
      stop.abort(new Error('the feed is closed'));
      await listening.close();
      await reading;
    },
  };
}
