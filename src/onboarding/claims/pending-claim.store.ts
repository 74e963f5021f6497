import type { JobLimits, JobProgress, JobReason } from '../../../machines/protocol.ts';
import type { Database } from '../../database/database.orm.ts';
import { channels, type QueueParts, type SymbolQueue, type TakenClaim } from '../job/ports.ts';

/**
 * Fast path: claims the next jobs in one statement if none of them has started, because then no decision per job is
 * needed. Returns null, and claims nothing, if one of them has started, is missing or has a cancellation request.
 * Claims nothing while onboarding is paused.
 */
export async function claimPending(
  database: Database,
  { queue, node, limits }: { queue: Pick<SymbolQueue, 'parts'>; node: string; limits: JobLimits },
  room: number,
): Promise<TakenClaim[] | null> {
  const rows = await database.sql<ClaimedRow>(
    textOf(queue.parts),
    [room, node, limits.resumeLimit, JSON.stringify(limits), channels.feed],
    { prepared: true },
  );
  if (rows.some(({ simple }) => !simple)) return null;
  return rows.map((row) => ({
    claim: { jobId: row.job_id, symbol: row.symbol, reason: row.reason, epoch: row.epoch },
    entry: { id: row.entry_id, retryCount: row.retry_count },
    progress: row.progress,
    sequence: row.sequence,
    state: 'pending',
  }));
}

interface ClaimedRow {
  simple: boolean;
  job_id: string;
  symbol: string;
  reason: JobReason;
  epoch: number;
  sequence: number;
  entry_id: string;
  retry_count: number;
  progress: JobProgress;
}

const texts = new WeakMap<QueueParts, string>();

function textOf(parts: QueueParts): string {
  const text = texts.get(parts) ?? claimSql(parts);
  texts.set(parts, text);
  return text;
}

// From top to bottom: `next` locks the queue entries, then `mine` their job rows. `simple` has its one row only if
// every entry has a job that has not started; without that row nothing is written. The feed's head is locked last.
const claimSql = (queue: QueueParts) => `
  with next as materialized (
    ${queue.next('$1::int', `not exists (select from service_state where key = 'paused' and value = 'true'::jsonb)`)}
  ), listed as materialized (
    select *, row_number() over () as place from next
  ), mine as materialized (
    select j.id, j.symbol, j.reason, j.state, j.attempt, j.status, j.cancel_requested_at, j.resumes,
      j.claim_epoch + 1 as epoch, j.sequence + 1 as sequence,
      greatest(0, extract(epoch from clock_timestamp() - j.updated_at) * 1000)::bigint as since_ms,
      jsonb_build_object('status', j.status, 'phase', j.phase, 'attempt', j.attempt,
        'retryAt', (extract(epoch from j.retry_at) * 1000)::bigint, 'waitedMs', j.waited_ms, 'partial', j.partial,
        'degraded', j.degraded, 'results', j.results, 'resumes', j.resumes) as progress
    from onboarding_jobs j where j.id = any(array(select job_id from listed)) order by j.id for no key update
  ), simple as materialized (
    select (select count(*) from listed) as size
    where (select count(*) from mine where status = 'pending' and cancel_requested_at is null and resumes <= $3::int)
      = (select count(*) from listed)
  ), fetched as (
    ${queue.take('select entry_id from listed, simple')}
  ), changed as (
    update onboarding_jobs j set claim_epoch = m.epoch, sequence = m.sequence, state = 'pending', node = $2,
      updated_at = clock_timestamp()
    from mine m, simple where j.id = m.id
    returning j.id
  ), head as (
    update feed_head set position = position + simple.size from simple
    where id = 1 and simple.size > 0 and (select count(*) from changed) >= 0 and (select count(*) from fetched) >= 0
    returning position - simple.size as before, position
  ), appended as (
    insert into onboarding_transitions (job_id, symbol, sequence, position, from_state, to_state, event, attempt,
      duration_ms, node, claim_epoch, trace)
    select m.id, m.symbol, m.sequence, head.before + l.place, m.state, 'pending', 'claimed', m.attempt, m.since_ms, $2,
      m.epoch, jsonb_build_object('spawned', jsonb_build_object('progress', m.progress, 'limits', $4::jsonb))
    from listed l join mine m on m.id = l.job_id, head order by l.place
  )
  select exists (select from simple) as simple, m.id as job_id, m.symbol, m.reason, m.epoch, m.sequence, m.progress,
    l.entry_id, f.retry_count,
    (select pg_notify($5, json_build_object('from', before + 1, 'to', position)::text) from head) as notified
  from listed l left join mine m on m.id = l.job_id left join fetched f on f.entry_id = l.entry_id
  order by l.place`;
