import type { JobState } from '../../../machines/job.ts';
import type { Claim, JobProgress, JobReason } from '../../../machines/protocol.ts';
import type { Transaction } from '../../database/database.orm.ts';
import type { ExposureSet } from '../../factors/exposure.store.ts';
import type { Series } from '../../market/price.store.ts';
import type { Instrument } from '../../market/provider.ts';
import type { UniverseEntry } from '../../universe/universe.store.ts';
import type { JobTrace, TransitionTrace } from './transition-trace.ts';

/** A claimed queue entry. `retryCount` is the queue's fencing token: a stale holder cannot settle the entry. */
export interface QueueEntry {
  id: string;
  retryCount: number;
}

/** NOTIFY messages from commits of any node. */
export interface Notifications {
  /** Calls back on every NOTIFY of a channel, and after the listening connection was lost and restored. */
  listen(
    channel: string,
    onNotify: (payload: string) => void,
    onReconnect: () => void,
  ): Promise<{ close(): Promise<void> }>;
}

/** Decides which node may claim which symbol next. What happens to the job is decided by the machine. */
export interface SymbolQueue {
  /**
   * Adds one entry per job, ordered by symbol. Entries of a refresh have the lowest priority. Throws the retryable
   * `queue_conflict` if a symbol already has an entry.
   */
  enqueue(
    entries: readonly { entryId: string; jobId: string; symbol: string; reason?: JobReason }[],
    options: { on: Transaction },
  ): Promise<void>;
  fetch(limit: number, options: { on: Transaction }): Promise<(QueueEntry & { jobId: string })[]>;
  /** Removes held entries from the queue. */
  complete(entries: readonly QueueEntry[], options: { on: Transaction }): Promise<void>;
  /** Releases entries: the next fetch on any node may take them immediately. */
  release(entries: readonly QueueEntry[], options: { on: Transaction }): Promise<void>;
  /** Removes an entry in any state. */
  cancel(entryId: string, options: { on: Transaction }): Promise<void>;
  /** Sends a heartbeat for the leases; returns the entries whose lease is lost. */
  touch(entries: readonly QueueEntry[]): Promise<QueueEntry[]>;
  readonly parts: QueueParts;
}

/**
 * Queue operations as SQL fragments, for statements that run all the time. `entries` is a query that returns `entry_id`
 * and, for held entries, `retry_count`. An entry with another count is not changed.
 */
export interface QueueParts {
  /** Locks the entries that `fetch` would take; returns `entry_id` and `job_id`. Empty if `condition` is false. */
  next(limit: string, condition: string): string;
  /** Claims them as `fetch` does; returns `entry_id` and the new `retry_count`. */
  take(entries: string): string;
  /** Locks held entries in order of their ids. */
  lock(entries: string): string;
  /** Same as `complete`. */
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

/** A claim that this node holds, and where its child starts. */
export interface TakenClaim {
  claim: Claim;
  entry: QueueEntry;
  progress: JobProgress;
  /** The last sequence of this job in the journal; the recorder continues from it. */
  sequence: number;
  /** The state that the journal already shows: the first stable state of the child. */
  state: string;
}

/** One transition, as the recorder passes it to the journal. */
export interface TransitionRecord {
  claim: Claim;
  entry: QueueEntry;
  sequence: number;
  from: string;
  to: string;
  event: string;
  durationMs: number;
  /** The fields of the job row after the transition. */
  job: JobState;
  actorSnapshot: unknown;
  /** Null if there is nothing to store. */
  trace: TransitionTrace | null;
  /** The effect of the phase that ended here: committed in the transaction of this transition. */
  effect?: Effect;
  /** Collects the writes of that effect for the job's timeline. */
  notes?: JobTrace;
}

/** What a phase writes to the database besides its transition. */
export type Effect =
  | { kind: 'series'; instrument: Instrument; provider: string; series: Series }
  | { kind: 'exposures'; set: ExposureSet }
  /** After its commit the symbol prices lots, and the job can no longer be cancelled. */
  | { kind: 'membership'; entry: UniverseEntry }
  /** Updates one batch of due portfolios. `session` is the price date of a portfolio that has only cash. */
  | { kind: 'snapshots'; session: string };

/** The progress of a symbol after a batch of portfolios, and the exchange rates that were missing. */
export interface SnapshotProgress {
  portfolios: number;
  /** True if no portfolio of the symbol is due after this batch. */
  isLast: boolean;
  lacking: readonly string[];
}

/** An effect whose result the phase waits for. It is committed after everything recorded of its job so far. */
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
   * Commits transitions and effects of several jobs in one transaction, all or nothing. Throws `claim_lost` if one of
   * the claims was taken over, `job_cancelled` if a job must not enter the universe because it is being cancelled.
   *
   * Returns one element per entry, in the same order; only snapshot effects have a progress.
   */
  commit(entries: readonly Entry[]): Promise<readonly (SnapshotProgress | undefined)[]>;
}

/** The feed position of the first transition (the others follow without gaps), and the timestamp of each row. */
export interface FeedPositions {
  first: number;
  at: readonly string[];
}

/** The job rows do not have the sequence that the batch expects: a claim was lost, or the batch is already stored. */
export class JournalMismatch extends Error {}

export interface Journal {
  /**
   * Writes transitions and their job rows, all or nothing; an end state also settles the queue entry. Throws
   * `claim_lost` if one of the claims was taken over. Returns the feed positions, or null if some transitions were
   * already stored.
   *
   * In a transaction, and without `careful`, throws `JournalMismatch` instead and aborts that transaction: the quick
   * statement does not know the reason. A second attempt with `careful` finds it.
   */
  commit(
    records: readonly TransitionRecord[],
    options?: {
      on?: Transaction | undefined;
      careful?: boolean;
      /** Claims that enter the universe in this batch; refused if cancellation was requested. Ignored with `careful`. */
      entering?: readonly Claim[];
    },
  ): Promise<FeedPositions | null>;
}

/** Checks the fencing tokens of claims at the end of an effect's transaction. Throws `claim_lost`. */
export interface Fence {
  check(claims: readonly Claim[], options: { on: Transaction }): Promise<void>;
  /** The same for the universe phase, after which a job can no longer be cancelled. Also throws `job_cancelled`. */
  passPointOfNoReturn(claims: readonly Claim[], options: { on: Transaction }): Promise<void>;
  /** Stores a value that must survive a resume in the middle of a phase. Returns the value that was stored first. */
  pin(claim: Claim, key: string, value: string, options: { on: Transaction }): Promise<string>;
}

/** PostgreSQL NOTIFY channels. `work`: a job can be claimed, or an operator requested something. `feed`: positions were committed. */
export const channels = { work: 'onboarding_work', feed: 'onboarding_feed' } as const;
