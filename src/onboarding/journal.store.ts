import { isUnfinished } from '../../machines/protocol.ts';
import type { Database, Transaction } from '../database.ts';
import { AppError } from '../errors.ts';
import {
  channels,
  type Journal,
  type Placed,
  type QueueParts,
  type SymbolQueue,
  type TransitionRecord,
} from './ports.ts';
import type { TransitionTrace } from './trace.ts';

/** One row of the journal before it has a position. */
export interface JournalRow {
  jobId: string;
  symbol: string;
  sequence: number;
  from: string | null;
  to: string;
  event: string;
  attempt: number;
  durationMs: number | null;
  node: string | null;
  claimEpoch: number;
  error: { code: string; message: string } | null;
  actorSnapshot: unknown;
  trace?: TransitionTrace | null;
}

/** The recorder's store: a batch of transitions in one statement, in the lock order of the house. */
export function journalStore(
  database: Database,
  { queue, node }: { queue: Pick<SymbolQueue, 'parts'>; node: string },
): Journal {
  const plain = writeSql(null);
  const settling = writeSql(queue.parts);
  return {
    async commit(records, { on } = {}) {
      if (records.length === 0) return null;
      const text = records.some(({ job }) => !isUnfinished(job.status)) ? settling : plain;
      return write(database, text, records, { node, on });
    },
  };
}

/**
 * One statement needs neither BEGIN nor COMMIT, and each connection plans it once. Over 600 jobs at concurrency 3, with
 * one plan per connection and fewer batches, a job cost the server 8 ms of processor time instead of 16 and this
 * process 8 instead of 12.
 */
async function write(
  database: Database,
  text: string,
  records: readonly TransitionRecord[],
  { node, on }: { node: string; on: Transaction | undefined },
): Promise<Placed | null> {
  // By claim, not by job: what an older claim of this node left behind is refused, not taken for the newer one's.
  const last = new Map(records.map((record) => [`${record.claim.jobId} ${record.claim.epoch}`, record]));
  const ends = new Set(last.values());
  const rows = records.map((record, index) => rowOf(record, { n: index + 1, last: ends.has(record) }));
  const [answer] = await database.sql<Answer>(text, [JSON.stringify(rows), node, channels.feed], {
    on,
    prepared: true,
  });
  const { whole, reached, first, at } = answer!;
  if (!whole) throw refusal(records, reached ?? {});
  return at?.length === records.length ? { first: Number(first), at } : null;
}

interface Answer {
  whole: boolean;
  reached: Record<string, number> | null;
  first: string | null;
  at: string[] | null;
}

function rowOf(
  { claim, entry, job, ...record }: TransitionRecord,
  { n, last }: { n: number; last: boolean },
): Record<string, unknown> {
  return {
    n,
    last,
    job_id: claim.jobId,
    symbol: claim.symbol,
    epoch: claim.epoch,
    sequence: record.sequence,
    from_state: record.from,
    to_state: record.to,
    event: record.event,
    duration_ms: record.durationMs,
    status: job.status,
    outcome: job.outcome,
    phase: job.phase,
    attempt: job.attempt,
    retry_at: job.retryAt === null ? null : new Date(job.retryAt).toISOString(),
    waited_ms: job.waitedMs,
    partial: job.partial,
    degraded: job.degraded,
    results: job.results,
    resumes: job.resumes,
    error_code: job.error?.code ?? null,
    error_message: job.error?.message ?? null,
    error_phase: job.error?.phase ?? null,
    settled: !isUnfinished(job.status),
    entry_id: entry.id,
    retry_count: entry.retryCount,
    actor_snapshot: record.actorSnapshot,
    trace: record.trace,
  };
}

// Read from top to bottom: `mine` locks the job rows that still carry the claim's epoch; `fresh` is what the journal
// does not have yet, because a connection that dies with the commit under way leaves it open whether that was done, and
// the batch comes again; `whole` has its one row only where nobody has lost a claim and no sequence is missing, and
// without it nothing is written. The feed's head comes last, as in `appendTransitions`.
//
// Where a job ends, its universe row and its queue entry are locked before the job rows: each part waits for the one
// before it. `ready` begins with the transaction that records `completed`: whoever sees the one sees the other.
//
// Results are merged, so that what a phase pinned while it ran is not undone by the transition after it.
const writeSql = (queue: QueueParts | null) => `
  with given as materialized (
    select * from json_to_recordset($1::json) as given(n int, last boolean, job_id uuid, symbol text, epoch int,
      sequence int, from_state text, to_state text, event text, duration_ms int, status text, outcome text, phase text,
      attempt int, retry_at timestamptz, waited_ms bigint, partial boolean, degraded text, results jsonb, resumes int,
      error_code text, error_message text, error_phase text, settled boolean, entry_id uuid, retry_count int,
      actor_snapshot jsonb, trace jsonb)
  ), ${
    queue
      ? `due as materialized (
    select u.symbol from symbol_universe u
    where u.symbol = any(array(select symbol from given where status = 'completed'))
    order by u.symbol collate "C" for no key update
  ), entries as materialized (
    ${queue.lock('select entry_id, retry_count from given where settled')}
  ), `
      : ''
  }mine as materialized (
    select j.id, j.claim_epoch as epoch, j.sequence as reached
    from onboarding_jobs j join given g on g.last and g.job_id = j.id and g.epoch = j.claim_epoch
    where j.id = any(array(select job_id from given where last))
      ${queue ? 'and (select count(*) from due) >= 0 and (select count(*) from entries) >= 0' : ''}
    order by j.id for no key update of j
  ), fresh as materialized (
    select g.*, m.reached, row_number() over (order by g.n) as place
    from given g join mine m on m.id = g.job_id and m.epoch = g.epoch where g.sequence > m.reached
  ), whole as materialized (
    select (select count(*) from fresh) as size
    where (select count(*) from mine) = (select count(*) from given where last)
      and not exists (select from fresh group by job_id, reached having max(sequence) <> reached + count(*))
  ), changed as (
    update onboarding_jobs j set
      state = f.to_state, status = f.status, outcome = f.outcome, phase = f.phase, attempt = f.attempt,
      retry_at = f.retry_at, waited_ms = f.waited_ms, partial = f.partial, degraded = f.degraded,
      results = j.results || f.results, resumes = f.resumes, sequence = f.sequence,
      error_code = f.error_code, error_message = f.error_message, error_phase = f.error_phase,
      actor_snapshot = f.actor_snapshot,
      node = case when f.settled then null else j.node end,
      queue_entry = case when f.settled then null else j.queue_entry end,
      started_at = coalesce(j.started_at, case when f.status = 'processing' then clock_timestamp() end),
      finished_at = case when f.settled then clock_timestamp() end,
      updated_at = clock_timestamp()
    from fresh f, whole where f.last and j.id = f.job_id and j.claim_epoch = f.epoch
  ), ${
    queue
      ? `marked as (
    update symbol_universe u set ready_at = coalesce(u.ready_at, now()), updated_at = now()
    from fresh f, whole where f.status = 'completed' and u.symbol = f.symbol
  ), settled as (
    ${queue.complete('select entry_id, retry_count from fresh, whole where settled')}
  ), `
      : ''
  }head as (
    update feed_head set position = position + whole.size from whole where id = 1 and whole.size > 0
    returning position - whole.size as before, position
  ), appended as (
    insert into onboarding_transitions (job_id, symbol, sequence, position, from_state, to_state, event, attempt,
      duration_ms, node, claim_epoch, error_code, error_message, actor_snapshot, trace)
    select f.job_id, f.symbol, f.sequence, head.before + f.place, f.from_state, f.to_state, f.event, f.attempt,
      f.duration_ms, $2, f.epoch, f.error_code, f.error_message, f.actor_snapshot, f.trace
    from fresh f, head
    returning position, at
  )
  select exists (select from whole) as whole, (select json_object_agg(id, reached) from mine) as reached,
    (select before + 1 from head) as first,
    (select json_agg(at::text order by position) from appended) as at,
    (select pg_notify($3, json_build_object('from', before + 1, 'to', position)::text) from head) as told`;

/** Why a batch was not written. `reached` is the sequence of each journal whose claim still holds. */
function refusal(records: readonly TransitionRecord[], reached: Record<string, number>): AppError {
  const lost = new Set(records.map(({ claim }) => claim.jobId).filter((id) => !(id in reached)));
  const next = { ...reached };
  for (const { claim, sequence } of records) {
    const last = next[claim.jobId]!;
    if (lost.size === 0 && sequence > last + 1) {
      return new AppError(
        'internal_error',
        `expected transition ${last + 1} of ${claim.jobId}, got: ${sequence}`,
      );
    }
    next[claim.jobId] = Math.max(last, sequence);
  }
  return new AppError('claim_lost', 'Another node took this job over.', { details: { jobIds: [...lost] } });
}

/**
 * Appends to the journal and tells the feed. Must be the last statement of its transaction: the feed's head row
 * serialises every writer, which is what makes positions gapless and in commit order.
 */
export async function appendTransitions(
  database: Database,
  rows: readonly JournalRow[],
  on: Transaction,
): Promise<void> {
  if (rows.length === 0) return;
  const values = rows.map((row, index) => ({
    n: index + 1,
    job_id: row.jobId,
    symbol: row.symbol,
    sequence: row.sequence,
    from_state: row.from,
    to_state: row.to,
    event: row.event,
    attempt: row.attempt,
    duration_ms: row.durationMs,
    node: row.node,
    claim_epoch: row.claimEpoch,
    error_code: row.error?.code ?? null,
    error_message: row.error?.message ?? null,
    actor_snapshot: row.actorSnapshot,
    trace: row.trace ?? null,
  }));
  await database.sql(appendSql, [JSON.stringify(values), rows.length, channels.feed], { on });
}

const appendSql = `
  with head as (
    update feed_head set position = position + $2::int where id = 1 returning position
  ), appended as (
    insert into onboarding_transitions (job_id, symbol, sequence, position, from_state, to_state, event, attempt,
      duration_ms, node, claim_epoch, error_code, error_message, actor_snapshot, trace)
    select r.job_id, r.symbol, r.sequence, head.position - $2::int + r.n, r.from_state, r.to_state, r.event,
      r.attempt, r.duration_ms, r.node, r.claim_epoch, r.error_code, r.error_message, r.actor_snapshot, r.trace
    from head, jsonb_to_recordset($1::jsonb) as r(n int, job_id uuid, symbol text, sequence int, from_state text,
      to_state text, event text, attempt int, duration_ms int, node text, claim_epoch int, error_code text,
      error_message text, actor_snapshot jsonb, trace jsonb)
  )
  select pg_notify($3, json_build_object('from', position - $2::int + 1, 'to', position)::text) from head`;

/** Wakes every node's claims actor once this transaction has committed: there is something to claim or to heed. */
export async function notifyWork(database: Database, on: Transaction): Promise<void> {
  await database.sql(`select pg_notify($1, '')`, [channels.work], { on });
}
