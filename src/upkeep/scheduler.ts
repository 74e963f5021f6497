import type { Clock } from '../kernel/clock.ts';

/** What a service does beside its work, now and then. */
export interface Chore {
  everyMs: number;
  /** Told once how to have it done before its time. */
  onWake?: (wake: () => void) => void;
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Does each chore at once and then again and again, one after the other's interval, none twice at the same time. One
 * that fails is logged and comes again when its time comes. `close` waits for what is under way.
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
    // Not `AbortSignal.any` of both: a signal remembers each one that was made of it, for as long as it lives.
    signal.addEventListener('abort', () => woken.abort());
    chore.onWake?.(() => woken.abort());
    while (!signal.aborted) {
      woken = new AbortController(); // a wake during the run has it done once more
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
