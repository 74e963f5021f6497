import type { Clock } from '../kernel/clock.ts';

/** A periodic maintenance task. */
export interface Chore {
  everyMs: number;
  /** Called once with a function that makes the next run start immediately. */
  onWake?: (wake: () => void) => void;
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Runs each chore immediately, and again `everyMs` after each run ended; a chore never overlaps with itself. A failed
 * run is logged, and the next one starts as scheduled. `close` waits for the current runs to end.
 */
export function startMaintenance({
  chores,
  clock,
  log,
}: {
  chores: readonly Chore[];
  clock: Clock;
  log: (error: unknown) => void;
}): { close(): Promise<void> } {
  const stop = new AbortController();
  const { signal } = stop;
  const underWay = new Set<Promise<void>>();
  const once = async ({ run }: Chore) => {
    const running = run(signal).catch((error: unknown) => {
      if (!signal.aborted) log(error);
    });
    underWay.add(running);
    await running;
    underWay.delete(running);
  };
  const repeat = async (chore: Chore) => {
    let woken = new AbortController();
    // Not `AbortSignal.any`: the long-lived signal would keep a reference to every signal derived from it (a leak).
    signal.addEventListener('abort', () => woken.abort());
    chore.onWake?.(() => woken.abort());
    while (!signal.aborted) {
      woken = new AbortController(); // a wake during the run starts another run right after it
      await once(chore);
      await clock.sleepUntil(clock.now() + chore.everyMs, woken.signal).catch(() => {});
    }
  };
  for (const chore of chores) repeat(chore).catch(() => {}); // ends with the signal
  return {
    async close() {
      stop.abort(new Error('the service stops'));
      await Promise.all(underWay);
    },
  };
}
