import type { Clock } from '../../kernel/clock.ts';

export interface Wait<View> {
  seconds: number;
  read: () => Promise<View>;
  /** The symbols whose jobs the view waits for; null if it is settled. */
  pendingSymbols: (view: View) => readonly string[] | null;
  /** Aborted when the client disconnects. */
  disconnected: AbortSignal;
}

export interface Waiters {
  /** Returns the last view read. `held` is false if too many requests wait already. */
  hold<View>(wait: Wait<View>): Promise<{ view: View; held: boolean }>;
  /** Ends all waits with the last view read; later requests are not held. */
  end(): void;
  readonly size: number;
}

export interface WaitersOptions {
  /** Calls back with the symbol of each job whose end is committed. */
  onEnd: (listener: (symbol: string) => void) => () => void;
  clock: Clock;
  max?: number;
}

const waitersMax = 1000; // each holds a connection and a few hundred bytes

/**
 * Long polling: holds a response until its view is settled.
 *
 * A waiter subscribes before it reads, so it cannot miss an end between the two. It reads again only when the jobs of
 * all its symbols have ended: two queries, however long the wait and however busy the queue.
 */
export function createWaiters({ onEnd, clock, max = waitersMax }: WaitersOptions): Waiters {
  const waiting = new Set<() => void>();
  let closed = false;
  return {
    async hold({ seconds, read, pendingSymbols, disconnected }) {
      if (closed || waiting.size >= max) return { view: await read(), held: false };
      let finish: 'timeout' | 'stop' | null = disconnected.aborted ? 'stop' : null;
      let wake = () => {};
      const endedSymbols = new Set<string>();
      const unsubscribe = onEnd((symbol) => {
        endedSymbols.add(symbol);
        wake();
      });
      const stop = () => {
        finish = 'stop';
        wake();
      };
      waiting.add(stop);
      disconnected.addEventListener('abort', stop, { once: true });
      const timer = new AbortController();
      const onTimeout = () => {
        finish ??= 'timeout';
        wake();
      };
      clock.sleepUntil(clock.now() + seconds * 1000, timer.signal).then(onTimeout, () => {});
      try {
        for (;;) {
          endedSymbols.clear();
          const view = await read();
          const symbols = pendingSymbols(view);
          if (symbols === null || finish !== null) return { view, held: true };
          const allEnded = () => endedSymbols.size > 0 && symbols.every((symbol) => endedSymbols.has(symbol));
          while (finish === null && !allEnded()) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          // After a timeout it reads once more, for partial progress. A stop must not wait for the database.
          if ((finish as string | null) === 'stop') return { view, held: true };
        }
      } finally {
        unsubscribe();
        waiting.delete(stop);
        disconnected.removeEventListener('abort', stop);
        timer.abort();
      }
    },
    end() {
      closed = true;
      for (const stop of [...waiting]) stop();
    },
    get size() {
      return waiting.size;
    },
  };
}
