import { transitionOf } from './job.query.ts';
import type { JournalStore, Placed } from './journal.store.ts';
import type { Journal, TransitionRecord } from './ports.ts';
import type { TransitionFeed } from './transition.feed.ts';

type Transition = { type: 'transition' } & ReturnType<typeof transitionOf>;

/** A node's journal, whose feed need not read what this journal has just written. */
export function passedOn(
  journal: JournalStore,
  { node, feed }: { node: string; feed: Pick<TransitionFeed, 'offer'> },
): Journal {
  return {
    commit(records) {
      const committed = journal.commit(records);
      feed.offer(committed.then((placed) => (placed ? entriesOf(records, placed, node) : [])));
      return committed;
    },
  };
}

/** What a reader of the journal would find there. */
export function entriesOf(
  records: readonly TransitionRecord[],
  { first, at }: Placed,
  node: string,
): Transition[] {
  return records.map(({ claim, sequence, from, to, event, durationMs, job }, index) => ({
    type: 'transition',
    ...transitionOf({
      job_id: claim.jobId,
      symbol: claim.symbol,
      position: String(first + index),
      sequence,
      from_state: from,
      to_state: to,
      event,
      attempt: job.attempt,
      duration_ms: durationMs,
      node,
      claim_epoch: claim.epoch,
      error_code: job.error?.code ?? null,
      error_message: job.error?.message ?? null,
      at: at[index]!,
    }),
  }));
}
