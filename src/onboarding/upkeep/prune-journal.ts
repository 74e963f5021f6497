import type { Clock } from '../../kernel/clock.ts';
import { inBatches } from '../../kernel/in-batches.ts';
import type { RetentionStore } from './retention.store.ts';

export interface JournalLimits {
  days: number;
  rows: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Prunes the journal to its retention, batch by batch. Stops if another node is pruning, or when the signal aborts. */
export async function pruneJournal(
  store: RetentionStore,
  { days, rows, clock, signal }: JournalLimits & { clock: Clock; signal: AbortSignal },
): Promise<void> {
  const floor = await store.raiseFloor({ since: clock.now() - days * dayMs, rows });
  if (floor !== null) await inBatches<number>((after) => store.prune(floor, after ?? 0), { clock, signal });
}
