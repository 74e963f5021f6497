import type { Clock } from '../../kernel/clock.ts';
import type { RetentionStore } from './retention.store.ts';

export interface RetentionLimits {
  days: number;
  rows: number;
}

const dayMs = 24 * 60 * 60 * 1000;
const pauseMs = 50; // between two batches, so that whoever waits for the database has it meanwhile

/** Brings the journal back into its bounds, batch by batch; stops where another node is at it, or at the signal. */
export async function pruneJournal(
  store: RetentionStore,
  { days, rows, clock, signal }: RetentionLimits & { clock: Clock; signal: AbortSignal },
): Promise<void> {
  const floor = await store.raiseFloor({ since: clock.now() - days * dayMs, rows });
  let after: number | null = floor === null ? null : 0;
  while (after !== null && !signal.aborted) {
    after = await store.prune(floor!, after);
    if (after !== null) await clock.sleepUntil(clock.now() + pauseMs, signal);
  }
}
