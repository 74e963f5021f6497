import type { JobState } from '../../machines/job.ts';
import type { Claim, JobProgress, JobReason, PhaseResults } from '../../machines/protocol.ts';
import type { Transaction } from '../database.ts';
import type { TransitionTrace } from './trace.ts';

/** What the queue hands out: `retryCount` is its own fence, so a stale holder settles nothing. */
export interface QueueEntry {
  id: string;
  retryCount: number;
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
}

/** The recorder's view of the database. */
export interface Journal {
  /**
   * Commits transitions with their job rows; those into a rest state settle the queue entry too.
   * All or none: throws `claim_lost` where one of the claims was taken over.
   */
  commit(records: readonly TransitionRecord[]): Promise<unknown>;
}

/** Checks, at the end of an effect's transaction, that its claims still hold. Throws `claim_lost`. */
export interface Fence {
  check(claims: readonly Claim[], options: { on: Transaction }): Promise<void>;
  /** The same for the universe phase: from its commit on, cancelling is too late. */
  passPointOfNoReturn(claims: readonly Claim[], options: { on: Transaction }): Promise<void>;
  /** The same, and stores what the phase has come to: who resumes it before that is journaled need not do it again. */
  keep(kept: readonly { claim: Claim; results: PhaseResults }[], options: { on: Transaction }): Promise<void>;
  /** Stores a reference that must survive a resume in the middle of a phase; answers the one stored first. */
  pin(claim: Claim, key: string, value: string, options: { on: Transaction }): Promise<string>;
}

/** Postgres NOTIFY channels. `work`: something can be claimed. `feed`: positions were committed. */
export const channels = { work: 'onboarding_work', feed: 'onboarding_feed' } as const;
