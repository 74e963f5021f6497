import type { Clock } from '../../kernel/clock.ts';

export interface Wait<View> {
  seconds: number;
  read: () => Promise<View>;
  /** The symbols whose end the view waits for; null where it waits for nothing. */
  pendingSymbols: (view: View) => readonly string[] | null;
  /** Aborted when nobody listens any more. */
  disconnected: AbortSignal;
}

export interface Waiters {
  /** Answers what was read last. `held` is false where there was no room to wait. */
  hold<View>(wait: Wait<View>): Promise<{ view: View; held: boolean }>;
  /** Everybody gets what was read last, now; nobody is held from here on. */
  end(): void;
  readonly size: number;
}

export interface WaitersOptions {
  /** Calls back with the symbol of each committed end of a job. */
  onEnd: (listener: (symbol: string) => void) => () => void;
  clock: Clock;
  max?: number;
}

const waitersMax = 1000; // each keeps a connection and a few hundred bytes

/**
 * Holds answers back until what they tell about is settled.
 *
 * A waiter listens before it reads, so no end slips through between the two, and it reads again only once every
 * symbol that it waits for has ended: the database is asked twice, however long the wait and busy the queue.
 */
export function createWaiters({ onEnd, clock, max = waitersMax }: WaitersOptions): Waiters {
  const waiting = new Set<() => void>();
  let closed = false;
  return {
    async hold({ seconds, read, pendingSymbols, disconnected }) {
      if (closed || waiting.size >= max) return { view: await read(), held: false };
      let finish: 'time' | 'stop' | null = disconnected.aborted ? 'stop' : null;
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
        finish ??= 'time';
        wake();
      };
      clock.sleepUntil(clock.now() + seconds * 1000, timer.signal).then(onTimeout, () => {});
      try {
        for (;;) {
          endedSymbols.clear();
          const view = await read();
          const symbols = pendingSymbols(view);
          if (symbols === null || finish !== null) return { view, held: true };
          const ended = () => endedSymbols.size > 0 && symbols.every((symbol) => endedSymbols.has(symbol));
          while (finish === null && !ended()) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          // Time is up: once more, because some of it may have moved on. A stop does not wait for the database.
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
