import { isUnfinished } from '../../machines/protocol.ts';
import type { Database, Transaction } from '../database.ts';
import { AppError } from '../errors.ts';
import { channels, type Journal, type SymbolQueue, type TransitionRecord } from './ports.ts';

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
}

/** The recorder's store: a batch of transitions in one transaction, in the lock order of the house. */
export function journalStore(
  database: Database,
  { queue, node }: { queue: SymbolQueue; node: string },
): Journal {
  return {
    commit: (records) =>
      database.transaction(async (on) => {
        const last = lastPerClaim(records);
        const settled = last.filter(({ job }) => !isUnfinished(job.status));
        await markReady(database, settled, on);
        if (settled.length > 0)
          await queue.complete(
            settled.map(({ entry }) => entry),
            { on },
          );
        const written = await updateJobs(database, last, on);
        await appendTransitions(
          database,
          notYetWritten(records, written).map((record) => rowOf(record, node)),
          on,
        );
      }),
  };
}

// By claim, not by job: what an older claim of this node left behind is refused, not taken for the newer one's.
function lastPerClaim(records: readonly TransitionRecord[]): TransitionRecord[] {
  const last = new Map(records.map((record) => [`${record.claim.jobId} ${record.claim.epoch}`, record]));
  return [...last.values()].sort((a, b) => (a.claim.jobId < b.claim.jobId ? -1 : 1));
}

// `ready` begins with the transaction that records `completed`: whoever sees the one sees the other.
async function markReady(database: Database, settled: TransitionRecord[], on: Transaction): Promise<void> {
  const symbols = settled
    .filter(({ job }) => job.status === 'completed')
    .map(({ claim }) => claim.symbol)
    .sort();
  if (symbols.length === 0) return;
  await database.sql(
    `with due as (
       select symbol from symbol_universe where symbol = any($1::text[]) order by symbol collate "C" for no key update
     )
     update symbol_universe u set ready_at = coalesce(u.ready_at, now()), updated_at = now()
     from due where u.symbol = due.symbol`,
    [symbols],
    { on },
  );
}

/** Answers the sequence that each job's journal had reached before. */
async function updateJobs(
  database: Database,
  records: TransitionRecord[],
  on: Transaction,
): Promise<Map<string, number>> {
  const rows = records.map(({ claim, sequence, to, job, actorSnapshot }) => ({
    id: claim.jobId,
    epoch: claim.epoch,
    sequence,
    state: to,
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
    actor_snapshot: actorSnapshot,
  }));
  const accepted = await database.sql<{ id: string; sequence: number }>(
    updateJobsSql,
    [JSON.stringify(rows)],
    { on },
  );
  const written = new Map(accepted.map(({ id, sequence }) => [id, sequence]));
  if (accepted.length < rows.length) {
    const lost = rows.filter(({ id }) => !written.has(id)).map(({ id }) => id);
    throw new AppError('claim_lost', 'Another node took this job over.', { details: { jobIds: lost } });
  }
  return written;
}

// A connection that dies with the COMMIT under way leaves it open whether that was done. The batch comes again, and
// what the journal has already is not written twice.
function notYetWritten(
  records: readonly TransitionRecord[],
  written: Map<string, number>,
): TransitionRecord[] {
  const reached = new Map(written);
  return records.filter(({ claim: { jobId }, sequence }) => {
    const last = reached.get(jobId)!;
    if (sequence <= last) return false;
    if (sequence > last + 1) {
      throw new AppError('internal_error', `expected transition ${last + 1} of ${jobId}, got: ${sequence}`);
    }
    reached.set(jobId, sequence);
    return true;
  });
}

// Results are merged, so that what a phase pinned while it ran is not undone by the transition after it.
const updateJobsSql = `
  with change as (
    select * from jsonb_to_recordset($1::jsonb) as c(
      id uuid, epoch int, sequence int, state text, status text, outcome text, phase text, attempt int,
      retry_at timestamptz, waited_ms bigint, partial boolean, degraded text, results jsonb, resumes int,
      error_code text, error_message text, error_phase text, settled boolean, actor_snapshot jsonb)
  ), mine as (
    select j.id, j.sequence from onboarding_jobs j join change c on c.id = j.id and c.epoch = j.claim_epoch
    order by j.id for no key update of j
  ), changed as (
    update onboarding_jobs j set
      state = c.state, status = c.status, outcome = c.outcome, phase = c.phase, attempt = c.attempt,
      retry_at = c.retry_at, waited_ms = c.waited_ms, partial = c.partial, degraded = c.degraded,
      results = j.results || c.results, resumes = c.resumes, sequence = c.sequence,
      error_code = c.error_code, error_message = c.error_message, error_phase = c.error_phase,
      actor_snapshot = c.actor_snapshot,
      node = case when c.settled then null else j.node end,
      queue_entry = case when c.settled then null else j.queue_entry end,
      started_at = coalesce(j.started_at, case when c.status = 'processing' then clock_timestamp() end),
      finished_at = case when c.settled then clock_timestamp() end,
      updated_at = clock_timestamp()
    from change c, mine
    where j.id = c.id and mine.id = c.id and j.claim_epoch = c.epoch and mine.sequence < c.sequence
  )
  select id, sequence from mine`;

function rowOf({ claim, job, ...record }: TransitionRecord, node: string): JournalRow {
  return {
    jobId: claim.jobId,
    symbol: claim.symbol,
    sequence: record.sequence,
    from: record.from,
    to: record.to,
    event: record.event,
    attempt: job.attempt,
    durationMs: record.durationMs,
    node,
    claimEpoch: claim.epoch,
    error: job.error,
    actorSnapshot: record.actorSnapshot,
  };
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
  }));
  await database.sql(appendSql, [JSON.stringify(values), rows.length, channels.feed], { on });
}

const appendSql = `
  with head as (
    update feed_head set position = position + $2::int where id = 1 returning position
  ), appended as (
    insert into onboarding_transitions (job_id, symbol, sequence, position, from_state, to_state, event, attempt,
      duration_ms, node, claim_epoch, error_code, error_message, actor_snapshot)
    select r.job_id, r.symbol, r.sequence, head.position - $2::int + r.n, r.from_state, r.to_state, r.event,
      r.attempt, r.duration_ms, r.node, r.claim_epoch, r.error_code, r.error_message, r.actor_snapshot
    from head, jsonb_to_recordset($1::jsonb) as r(n int, job_id uuid, symbol text, sequence int, from_state text,
      to_state text, event text, attempt int, duration_ms int, node text, claim_epoch int, error_code text,
      error_message text, actor_snapshot jsonb)
  )
  select pg_notify($3, json_build_object('from', position - $2::int + 1, 'to', position)::text) from head`;

/** Wakes every node's claims actor once this transaction has committed: there is something to claim or to heed. */
export async function notifyWork(database: Database, on: Transaction): Promise<void> {
  await database.sql(`select pg_notify($1, '')`, [channels.work], { on });
}
