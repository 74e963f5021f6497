import type { JobState } from '../../../machines/job.ts';
import type { Claim, JobProgress, JobReason } from '../../../machines/protocol.ts';
import type { Transaction } from '../../database/database.orm.ts';
import type { ExposureSet } from '../../factors/exposure.store.ts';
import type { Series } from '../../market/price.store.ts';
import type { Instrument } from '../../market/provider.ts';
import type { UniverseEntry } from '../../universe/universe.store.ts';
import type { JobTrace, TransitionTrace } from './transition-trace.ts';

/** What the queue hands out: `retryCount` is its own fence, so a stale holder settles nothing. */
export interface QueueEntry {
  id: string;
  retryCount: number;
}

/** What commits of any node call out, on the database's own channel. */
export interface Notifications {
  /** Calls back on every NOTIFY of a channel, and after the listening connection was lost and came back. */
  listen(
    channel: string,
    onNotify: (payload: string) => void,
    onReconnect: () => void,
  ): Promise<{ close(): Promise<void> }>;
}

/** Who may claim which symbol next. It never decides what happens to a job: that is the machine's. */
export interface SymbolQueue {
  /** Adds one entry per job, in order of symbol; those of a refresh are handed out after all others. Throws retryable `queue_conflict` where a key is taken. */
  enqueue(
    entries: readonly { entryId: string; jobId: string; symbol: string; reason?: JobReason }[],
    options: { on: Transaction },
  ): Promise<void>;
  fetch(limit: number, options: { on: Transaction }): Promise<(QueueEntry & { jobId: string })[]>;
  /** Takes entries that are held out of the queue. */
  complete(entries: readonly QueueEntry[], options: { on: Transaction }): Promise<void>;
  /** Gives entries back: the next fetch, here or elsewhere, may take them at once. */
  release(entries: readonly QueueEntry[], options: { on: Transaction }): Promise<void>;
  /** Takes an entry out, whatever its state. */
  cancel(entryId: string, options: { on: Transaction }): Promise<void>;
  /** Keeps the leases alive; answers those that are lost. */
  touch(entries: readonly QueueEntry[]): Promise<QueueEntry[]>;
  readonly parts: QueueParts;
}

/**
 * What the queue does as parts of a larger statement, for those that run all the time. `entries` is a query of
 * `entry_id` and, where they are held, `retry_count`: an entry that is held under another count is left alone.
 */
export interface QueueParts {
  /** The entries that `fetch` would take, locked: `entry_id` and `job_id`. None where `condition` does not hold. */
  next(limit: string, condition: string): string;
  /** Takes them as `fetch` does: `entry_id` and the `retry_count` under which they are held. */
  take(entries: string): string;
  /** Locks entries that are held, by id. */
  lock(entries: string): string;
  /** What `complete` does. */
  complete(entries: string): string;
}

export interface Wanted {
  symbol: string;
  reason: JobReason;
}

export type Admission =
  | { kind: 'admitted'; jobs: { symbol: string; jobId: string }[] }
  | { kind: 'queue_full'; depth: number; limit: number; needed: number }
  | { kind: 'too_many_symbols'; needed: number; limit: number };

/** A claim that was taken, and where its child begins. */
export interface TakenClaim {
  claim: Claim;
  entry: QueueEntry;
  progress: JobProgress;
  /** The journal's last sequence of this job; the recorder goes on from it. */
  sequence: number;
  /** The state that the journal already shows: the one in which the child settles first. */
  state: string;
}

/** One transition, as the recorder hands it to the journal. */
export interface TransitionRecord {
  claim: Claim;
  entry: QueueEntry;
  sequence: number;
  from: string;
  to: string;
  event: string;
  durationMs: number;
  /** The job row's fields after it. */
  job: JobState;
  actorSnapshot: unknown;
  /** Null where there is nothing to keep. */
  trace: TransitionTrace | null;
  /** What the phase that ended here leaves: written in the transaction of this transition. */
  effect?: Effect;
  /** Where it is noted what was written for that. */
  notes?: JobTrace;
}

/** What a phase leaves in the database besides its transition. */
export type Effect =
  | { kind: 'series'; instrument: Instrument; provider: string; series: Series }
  | { kind: 'exposures'; set: ExposureSet }
  /** From its commit on the symbol prices lots, and cancelling is too late. */
  | { kind: 'membership'; entry: UniverseEntry }
  /** One batch of the portfolios that are due; `session` is the price date of a portfolio of nothing but cash. */
  | { kind: 'snapshots'; session: string };

/** How far a batch of portfolios brought a symbol, and what exchange rates turned out to be needed. */
export interface SnapshotProgress {
  portfolios: number;
  /** Whether no portfolio of the symbol is due any more. */
  isLast: boolean;
  lacking: readonly string[];
}

/** An effect whose outcome the phase waits for: written behind all that was recorded of its job so far. */
export interface LoneEffect {
  claim: Claim;
  effect: Effect;
  notes: JobTrace;
}

export type Entry = TransitionRecord | LoneEffect;

export const isRecord = (entry: Entry): entry is TransitionRecord => 'sequence' in entry;

/** The recorder's view of the database. */
export interface Ledger {
  /**
   * Commits transitions and effects, of several jobs, in one transaction. All or none: throws `claim_lost` where one
   * of the claims was taken over, `job_cancelled` where one may not enter the universe any more.
   *
   * Answers each entry in its place; only those about snapshots have something to tell.
   */
  commit(entries: readonly Entry[]): Promise<readonly (SnapshotProgress | undefined)[]>;
}

/** The position of the first transition, those of the others follow; and of each the time that its row has. */
export interface FeedPositions {
  first: number;
  at: readonly string[];
}

/** Job rows are not where a batch of transitions begins: a claim was lost, or the batch is there already. */
export class JournalMismatch extends Error {}

export interface Journal {
  /**
   * Writes transitions with their job rows; those into a rest state settle the queue entry too.
   * All or none: throws `claim_lost` where one of the claims was taken over. Answers where in the feed they stand; null
   * where some of them were there already.
   *
   * Throws `JournalMismatch`, and has aborted the transaction, where it cannot tell why it refuses: `careful` can.
   */
  commit(
    records: readonly TransitionRecord[],
    options?: {
      on?: Transaction | undefined;
      careful?: boolean;
      /** Claims that enter the universe with their records; one that is to be cancelled is refused. Not if careful. */
      entering?: readonly Claim[];
    },
  ): Promise<FeedPositions | null>;
}

/** Checks, at the end of an effect's transaction, that its claims still hold. Throws `claim_lost`. */
export interface Fence {
  check(claims: readonly Claim[], options: { on: Transaction }): Promise<void>;
  /** The same for the universe phase: from its commit on, cancelling is too late. Throws `job_cancelled`. */
  passPointOfNoReturn(claims: readonly Claim[], options: { on: Transaction }): Promise<void>;
  /** Stores a reference that must survive a resume in the middle of a phase; answers the one stored first. */
  pin(claim: Claim, key: string, value: string, options: { on: Transaction }): Promise<string>;
}

/** Postgres NOTIFY channels. `work`: something can be claimed. `feed`: positions were committed. */
export const channels = { work: 'onboarding_work', feed: 'onboarding_feed' } as const;
