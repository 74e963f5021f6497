import { initialStateName } from '../../../machines/job.ts';
import {
  type Claim,
  isUnfinished,
  type JobLimits,
  type JobProgress,
  type JobStatus,
} from '../../../machines/protocol.ts';
import type { Database, Transaction } from '../../database/database.orm.ts';
import type { QueueEntry, SymbolQueue, TakenClaim } from '../job/ports.ts';
import { appendTransitions, type JournalRow, notifyWork } from '../journal/journal.store.ts';
import { claimPending } from './pending-claim.store.ts';

export interface ClaimStore {
  /** Claims at most `room` jobs for this node. Also removes the queue entries of settled or cancelled jobs it finds. */
  claim(room: number): Promise<TakenClaim[]>;
  /** Releases jobs gracefully: the next claim does not count as a takeover. */
  release(claims: readonly { claim: Claim; entry: QueueEntry }[]): Promise<void>;
}

interface ClaimOptions {
  queue: SymbolQueue;
  node: string;
  limits: JobLimits;
}

export function claimStore(database: Database, options: ClaimOptions): ClaimStore {
  return {
    async claim(room) {
      const pending = await claimPending(database, options, room);
      return pending ?? database.transaction((on) => claim(database, options, room, on));
    },
    release: (claims) => database.transaction((on) => release(database, options, claims, on)),
  };
}

interface JobRow {
  id: string;
  symbol: string;
  reason: Claim['reason'];
  status: JobStatus;
  state: string;
  phase: JobProgress['phase'];
  attempt: number;
  retry_at: string | null;
  waited_ms: string | number;
  partial: boolean;
  degraded: string | null;
  results: JobProgress['results'];
  resumes: number;
  sequence: number;
  claim_epoch: number;
  node: string | null;
  cancel_requested_at: string | null;
  since_ms: string | number;
}

async function claim(
  database: Database,
  { queue, node, limits }: ClaimOptions,
  room: number,
  on: Transaction,
): Promise<TakenClaim[]> {
  const [pause] = await database.sql(
    `select 1 from service_state where key = 'paused' and value = 'true'::jsonb`,
    [],
    { on },
  );
  if (pause) return [];
  const entries = await queue.fetch(room, { on });
  if (entries.length === 0) return [];
  const rows = await database.sql<JobRow>(
    `select *, greatest(0, extract(epoch from clock_timestamp() - updated_at) * 1000)::bigint as since_ms
     from onboarding_jobs where id = any($1::uuid[]) order by id for no key update`,
    [entries.map(({ jobId }) => jobId)],
    { on },
  );
  const plans = entries.map((entry) =>
    planOf(
      entry,
      rows.find(({ id }) => id === entry.jobId),
      limits,
    ),
  );
  const taken = plans.flatMap((plan) => (plan.kind === 'taken' ? [plan] : []));
  const ended = plans.flatMap((plan) => (plan.kind === 'ended' ? [plan] : []));
  const stale = plans.flatMap((plan) => (plan.kind === 'taken' ? [] : [plan.entry]));
  if (stale.length > 0) await queue.complete(stale, { on });
  await database.sql(claimSql, [JSON.stringify([...taken, ...ended].map(changeOf)), node], { on });
  await appendTransitions(
    database,
    [...taken, ...ended].map((plan) => journalRowOf(plan, { node, limits })),
    on,
  );
  return taken.map(({ row, entry, progress, to }) => ({
    claim: { jobId: row.id, symbol: row.symbol, reason: row.reason, epoch: row.claim_epoch + 1 },
    entry,
    progress,
    sequence: row.sequence + 1,
    state: to,
  }));
}

type Plan =
  | { kind: 'orphan'; entry: QueueEntry }
  | {
      kind: 'ended';
      entry: QueueEntry;
      row: JobRow;
      progress: JobProgress;
      to: string;
      event: string;
      error: JobFailure;
    }
  | {
      kind: 'taken';
      entry: QueueEntry;
      row: JobRow;
      progress: JobProgress;
      to: string;
      event: string;
      error: null;
    };
type JobFailure = { code: string; message: string } | null;

// A node that stops gracefully removes its name from the rows of its jobs; a node that crashes leaves it. Only a claim
// after a crash counts as a takeover, because only then may the job itself be the cause.
function planOf(entry: QueueEntry, row: JobRow | undefined, limits: JobLimits): Plan {
  if (!row || !isUnfinished(row.status)) return { kind: 'orphan', entry };
  const interrupted = row.node !== null;
  const progress: JobProgress = {
    status: row.status,
    phase: row.phase,
    attempt: row.attempt,
    retryAt: row.retry_at === null ? null : Date.parse(row.retry_at),
    waitedMs: Number(row.waited_ms),
    partial: row.partial,
    degraded: row.degraded,
    results: row.results,
    resumes: row.resumes + (interrupted && row.status === 'processing' ? 1 : 0),
  };
  if (row.cancel_requested_at !== null) {
    return { kind: 'ended', entry, row, progress, to: 'cancelled', event: 'job.cancel', error: null };
  }
  const to = initialStateName(progress, limits);
  if (to === 'failed') {
    const error = {
      code: 'resume_limit_exceeded',
      message: `The service stopped ${progress.resumes} times in a row while it worked on this symbol.`,
    };
    return { kind: 'ended', entry, row, progress, to, event: 'resumed', error };
  }
  const event = row.status === 'pending' ? 'claimed' : 'resumed';
  return { kind: 'taken', entry, row, progress, to, event, error: null };
}

const changeOf = ({ kind, row, progress, to, error }: Exclude<Plan, { kind: 'orphan' }>) => ({
  id: row.id,
  resumes: progress.resumes,
  state: to,
  ended: kind === 'ended',
  error_code: error?.code ?? null,
  error_message: error?.message ?? null,
});

const claimSql = `
  update onboarding_jobs j set
    claim_epoch = j.claim_epoch + 1, sequence = j.sequence + 1, resumes = c.resumes, state = c.state,
    node = case when c.ended then null else $2 end,
    status = case when c.ended then c.state else j.status end,
    queue_entry = case when c.ended then null else j.queue_entry end,
    retry_at = case when c.ended then null else j.retry_at end,
    error_code = case when c.ended then c.error_code else j.error_code end,
    error_message = case when c.ended then c.error_message else j.error_message end,
    error_phase = case when not c.ended then j.error_phase when c.error_code is not null then j.phase end,
    finished_at = case when c.ended then clock_timestamp() end,
    updated_at = clock_timestamp()
  from jsonb_to_recordset($1::jsonb) as c(id uuid, resumes int, state text, ended boolean, error_code text,
    error_message text)
  where j.id = c.id`;

function journalRowOf(
  { row, to, event, error, progress }: Exclude<Plan, { kind: 'orphan' }>,
  { node, limits }: { node: string; limits: JobLimits },
): JournalRow {
  return {
    jobId: row.id,
    symbol: row.symbol,
    sequence: row.sequence + 1,
    from: row.state,
    to,
    event,
    attempt: progress.attempt,
    durationMs: Number(row.since_ms),
    node,
    claimEpoch: row.claim_epoch + 1,
    error,
    actorSnapshot: null,
    trace: { spawned: { progress, limits } },
  };
}

async function release(
  database: Database,
  { queue }: ClaimOptions,
  claims: readonly { claim: Claim; entry: QueueEntry }[],
  on: Transaction,
): Promise<void> {
  await queue.release(
    claims.map(({ entry }) => entry),
    { on },
  );
  await database.sql(
    `update onboarding_jobs j set node = null from jsonb_to_recordset($1::jsonb) as c(id uuid, epoch int)
     where j.id = c.id and j.claim_epoch = c.epoch`,
    [JSON.stringify(claims.map(({ claim: { jobId, epoch } }) => ({ id: jobId, epoch })))],
    { on },
  );
  await notifyWork(database, on);
}
