import { isUnfinished } from '../../../machines/protocol.ts';
import type { Database, Transaction } from '../../database/database.orm.ts';
import { AppError } from '../../kernel/errors.ts';
import {
  channels,
  type FeedPositions,
  type Journal,
  JournalMismatch,
  type QueueParts,
  type SymbolQueue,
  type TransitionRecord,
} from '../job/ports.ts';
import type { TransitionTrace } from '../job/transition-trace.ts';
import { carefulSql, quickSql } from './journal-sql.ts';

/** A journal row that has no feed position yet. */
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

/**
 * The recorder's store. It writes a batch of transitions in one prepared statement: no BEGIN or COMMIT, and one plan per
 * connection.
 */
export function journalStore(
  database: Database,
  { queue, node }: { queue: Pick<SymbolQueue, 'parts'>; node: string },
): Journal {
  const texts = (parts: QueueParts | null) => ({ quick: quickSql(parts), careful: carefulSql(parts) });
  const [plain, settling] = [texts(null), texts(queue.parts)];
  const run = async (text: string, parameters: unknown[], on: Transaction | undefined): Promise<Answer> => {
    const [answer] = await database.sql<Answer>(text, parameters, { on, prepared: true });
    return answer!;
  };
  return {
    async commit(records, { on, careful = false, entering = [] } = {}) {
      if (records.length === 0) return null;
      const text = records.some(({ job }) => !isUnfinished(job.status)) ? settling : plain;
      const { rows, jobIds, claims } = batchOf(records);
      const parameters = [JSON.stringify(rows), node, channels.feed];
      if (!careful) {
        try {
          const entered = entering.map(({ jobId }) => jobId);
          const answer = await run(text.quick, [...parameters, jobIds, records.length, claims, entered], on);
          return positionsIn(answer, records);
        } catch (error) {
          if (!mismatches.has((error as { code?: string }).code)) throw error;
          if (on) throw new JournalMismatch();
        }
      }
      const answer = await run(text.careful, parameters, on);
      if (!answer.whole) throw refusal(records, answer.reached ?? {});
      return positionsIn(answer, records);
    },
  };
}

// 22012 is the division by zero with which the quick statement aborts; 23505 means that a row with this sequence exists.
const mismatches = new Set<string | undefined>(['22012', '23505']);

const positionsIn = ({ first, at }: Answer, { length }: readonly TransitionRecord[]): FeedPositions | null =>
  at?.length === length ? { first: Number(first), at } : null;

function batchOf(records: readonly TransitionRecord[]) {
  // By claim, not by job, so that records of an older claim of this node are refused and not mixed with the newer one's.
  const key = ({ claim: { jobId, epoch } }: TransitionRecord) => `${jobId} ${epoch}`;
  const claims = Map.groupBy(records, key);
  const rows = records.map((record, index) => {
    const own = claims.get(key(record))!;
    const last = own.at(-1) === record;
    // The sequence that the job row must have, because the journal has no gaps.
    return rowOf(record, { n: index + 1, last, base: record.sequence - own.length });
  });
  return { rows, jobIds: [...claims.values()].map(([one]) => one!.claim.jobId), claims: claims.size };
}

interface Answer {
  whole: boolean;
  reached: Record<string, number> | null;
  first: string | null;
  at: string[] | null;
}

function rowOf(
  { claim, entry, job, ...record }: TransitionRecord,
  { n, last, base }: { n: number; last: boolean; base: number },
): Record<string, unknown> {
  return {
    n,
    last,
    base,
    job_id: claim.jobId,
    symbol: claim.symbol,
    epoch: claim.epoch,
    sequence: record.sequence,
    from_state: record.from,
    to_state: record.to,
    event: record.event,
    duration_ms: record.durationMs,
    status: job.status,
    outcome: job.outcome ?? undefined,
    phase: job.phase,
    attempt: job.attempt,
    retry_at: job.retryAt === null ? undefined : new Date(job.retryAt).toISOString(),
    waited_ms: job.waitedMs,
    partial: job.partial,
    degraded: job.degraded ?? undefined,
    results: job.results,
    resumes: job.resumes,
    error_code: job.error?.code,
    error_message: job.error?.message,
    error_phase: job.error?.phase,
    ...(isUnfinished(job.status)
      ? { settled: false }
      : { settled: true, entry_id: entry.id, retry_count: entry.retryCount }),
    actor_snapshot: record.actorSnapshot,
    trace: record.trace ?? undefined,
  };
}

/** The reason why a batch was refused. `reached`: the last stored sequence of each job whose claim is still valid. */
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
 * Appends to the journal and notifies the feed. Must be the last statement of its transaction: the lock on the feed's
 * head row serialises all writers, which makes positions gapless and puts them in commit order.
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
      to_state text, event text, attempt int, duration_ms bigint, node text, claim_epoch int, error_code text,
      error_message text, actor_snapshot jsonb, trace jsonb)
  )
  select pg_notify($3, json_build_object('from', position - $2::int + 1, 'to', position)::text) from head`;

/** Wakes the claims actor of every node when this transaction commits: there is a job to claim or an operator request. */
export async function notifyWork(database: Database, on: Transaction): Promise<void> {
  await database.sql(`select pg_notify($1, '')`, [channels.work], { on });
}
