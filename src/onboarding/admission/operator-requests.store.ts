import { randomUUIDv7 } from 'node:crypto';
import { retryOf } from '../../../machines/job.ts';
import { isUnfinished, type JobProgress, type JobStatus } from '../../../machines/protocol.ts';
import type { Database, Transaction } from '../../database/database.orm.ts';
import type { SymbolQueue } from '../job/ports.ts';
import { appendTransitions, notifyWork } from '../journal/journal.store.ts';
import { lockAdmission } from './admission.store.ts';

export type RetryAnswer =
  | { kind: 'retried' }
  | { kind: 'not_found' }
  /** Only failed and partially completed jobs can be retried. */
  | { kind: 'not_retryable'; status: JobStatus }
  /** The symbol already has another unfinished job. */
  | { kind: 'symbol_busy'; jobId: string }
  | { kind: 'queue_full'; depth: number; limit: number };

export type CancelAnswer =
  | { kind: 'cancelled' }
  /** The node that runs it was notified and will cancel it. */
  | { kind: 'requested' }
  | { kind: 'not_found' }
  /** The universe phase is committed, so portfolios already use the symbol. */
  | { kind: 'too_late' }
  | { kind: 'not_cancellable'; status: JobStatus };

/** The operator requests that a node must apply. */
export interface Requests {
  paused: boolean;
  /** Jobs of this node whose cancellation was requested. */
  cancelled: { jobId: string; symbol: string; epoch: number }[];
}

export interface OperationsStore {
  retry(jobId: string): Promise<RetryAnswer>;
  cancel(jobId: string): Promise<CancelAnswer>;
  /** Pauses or resumes the whole cluster. Stored, so it survives restarts. */
  setPaused(paused: boolean): Promise<void>;
  requests(): Promise<Requests>;
}

interface OperationsOptions {
  queue: SymbolQueue;
  node: string;
  depthMax: number;
}

export function operationsStore(database: Database, options: OperationsOptions): OperationsStore {
  return {
    retry: (jobId) =>
      database.transaction<RetryAnswer>(async (on, rollback) => {
        const answer = await retry(database, options, jobId, on);
        return answer ?? rollback({ kind: 'not_found' });
      }),
    cancel: (jobId) => cancel(database, options, jobId),
    async setPaused(paused) {
      await database.transaction(async (on) => {
        await database.sql(
          `insert into service_state (key, value) values ('paused', to_jsonb($1::boolean))
           on conflict (key) do update set value = excluded.value`,
          [paused],
          { on },
        );
        await notifyWork(database, on);
      });
    },
    async requests() {
      const [row] = await database.sql<{ paused: boolean; cancelled: Requests['cancelled'] | null }>(
        `select coalesce((select value = 'true'::jsonb from service_state where key = 'paused'), false) as paused,
           (select json_agg(json_build_object('jobId', id, 'symbol', symbol, 'epoch', claim_epoch))
            from onboarding_jobs where node = $1 and status in ('pending', 'processing')
              and cancel_requested_at is not null) as cancelled`,
        [options.node],
      );
      return { paused: row!.paused, cancelled: row!.cancelled ?? [] };
    },
  };
}

interface JobRow extends Omit<JobProgress, 'status' | 'retryAt' | 'waitedMs'> {
  id: string;
  symbol: string;
  status: JobStatus;
  state: string;
  sequence: number;
  claim_epoch: number;
  node: string | null;
  queue_entry: string | null;
  universe_committed_at: string | null;
}

const jobSql = `select id, symbol, status, state, phase, attempt, partial, degraded, results, resumes, sequence,
  claim_epoch, node, queue_entry, universe_committed_at from onboarding_jobs where id = $1::uuid`;

/** Null, and to be rolled back, where the job was deleted meanwhile: its retention was over. */
async function retry(
  database: Database,
  { queue, depthMax }: OperationsOptions,
  jobId: string,
  on: Transaction,
): Promise<RetryAnswer | null> {
  const unfinished = await lockAdmission(database, on);
  const [job] = await database.sql<JobRow>(jobSql, [jobId], { on });
  if (!job) return { kind: 'not_found' };
  const begin = retryOf({ ...job, retryAt: null, waitedMs: 0 });
  if (!begin) return { kind: 'not_retryable', status: job.status };
  const other = unfinished.find(({ symbol }) => symbol === job.symbol);
  if (other) return { kind: 'symbol_busy', jobId: other.id };
  if (unfinished.length >= depthMax) {
    return { kind: 'queue_full', depth: unfinished.length, limit: depthMax };
  }
  const entryId = randomUUIDv7();
  await queue.enqueue([{ entryId, jobId, symbol: job.symbol }], { on });
  const [retried] = await database.sql(
    retrySql,
    [jobId, entryId, begin.phase, begin.partial, begin.degraded, JSON.stringify(begin.results)],
    { on },
  );
  if (!retried) return null;
  await notifyWork(database, on);
  await journal(database, job, { to: 'pending', event: 'job.retry' }, on);
  return { kind: 'retried' };
}

// A job that is retried from a phase up to `universe` can be cancelled again.
const retrySql = `
  update onboarding_jobs set status = 'pending', state = 'pending', outcome = null, phase = $3::text, attempt = 1,
    retry_at = null, waited_ms = 0, partial = $4, degraded = $5, resumes = 0, sequence = sequence + 1,
    results = $6::jsonb, queue_entry = $2::uuid, node = null, cancel_requested_at = null,
    universe_committed_at = case when $3::text in ('fetch', 'factors', 'universe') then null else universe_committed_at end,
    error_code = null, error_message = null, error_phase = null, finished_at = null, updated_at = clock_timestamp()
  where id = $1::uuid returning id`;

async function cancel(
  database: Database,
  { queue }: OperationsOptions,
  jobId: string,
): Promise<CancelAnswer> {
  for (;;) {
    const answer = await database.transaction<CancelAnswer | 'claimed meanwhile'>(async (on, rollback) => {
      const [job] = await database.sql<JobRow>(jobSql, [jobId], { on });
      if (!job) return { kind: 'not_found' };
      const { node, queue_entry: entry, universe_committed_at: committed } = job;
      if (node !== null || entry === null || committed !== null) return requestCancel(database, job, on);
      // Lock order: queue entry before job row. A node that claims the job at the same time holds the lock on the entry.
      // After that wait, the job row shows which of the two was first.
      await queue.cancel(entry, { on });
      const settled = await database.sql(cancelSql, [jobId], { on });
      if (settled.length === 0) return rollback('claimed meanwhile');
      await journal(database, job, { to: 'cancelled', event: 'job.cancel' }, on);
      return { kind: 'cancelled' };
    });
    if (answer !== 'claimed meanwhile') return answer;
  }
}

const cancelSql = `
  update onboarding_jobs set status = 'cancelled', state = 'cancelled', sequence = sequence + 1, queue_entry = null,
    retry_at = null, error_code = null, error_message = null, error_phase = null,
    cancel_requested_at = clock_timestamp(), finished_at = clock_timestamp(), updated_at = clock_timestamp()
  where id = $1::uuid and node is null and status in ('pending', 'processing') and universe_committed_at is null
  returning id`;

async function requestCancel(database: Database, job: JobRow, on: Transaction): Promise<CancelAnswer> {
  const [asked] = await database.sql(
    `update onboarding_jobs set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
     where id = $1::uuid and status in ('pending', 'processing') and universe_committed_at is null returning id`,
    [job.id],
    { on },
  );
  if (asked) {
    await notifyWork(database, on);
    return { kind: 'requested' };
  }
  const [now] = await database.sql<JobRow>(jobSql, [job.id], { on });
  if (!now) return { kind: 'not_found' };
  return isUnfinished(now.status) ? { kind: 'too_late' } : { kind: 'not_cancellable', status: now.status };
}

async function journal(
  database: Database,
  job: JobRow,
  { to, event }: { to: string; event: string },
  on: Transaction,
): Promise<void> {
  const row = {
    jobId: job.id,
    symbol: job.symbol,
    sequence: job.sequence + 1,
    from: job.state,
    to,
    event,
    attempt: 1,
    durationMs: null,
    node: null,
    claimEpoch: job.claim_epoch,
    error: null,
    actorSnapshot: null,
  };
  await appendTransitions(database, [row], on);
}
