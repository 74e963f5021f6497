import { type FeedPositions, isRecord, type Ledger, type TransitionRecord } from '../job/ports.ts';
import type { Committed, createLedger } from '../journal/commit-batch.ts';
import { transitionOf } from '../queries/job.query.ts';
import type { TransitionFeed } from './transition.feed.ts';

type Transition = { type: 'transition' } & ReturnType<typeof transitionOf>;

/** A ledger that passes its own commits to this node's feed, so that the feed does not read them back. */
export function publishCommits(
  ledger: ReturnType<typeof createLedger>,
  { node, feed }: { node: string; feed: Pick<TransitionFeed, 'offer'> },
): Ledger {
  return {
    async commit(entries) {
      const committed = ledger.commit(entries);
      const feedEntries = ({ positions, updates }: Committed) => {
        const records = entries.filter(isRecord);
        if (records.length === 0) return updates;
        return positions ? [...entriesOf(records, positions, node), ...updates] : [];
      };
      feed.offer(committed.then(feedEntries));
      return (await committed).progress;
    },
  };
}

/** The same entries that a reader of the journal would get. */
export function entriesOf(
  records: readonly TransitionRecord[],
  { first, at }: FeedPositions,
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
