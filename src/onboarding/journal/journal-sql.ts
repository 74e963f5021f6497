import type { QueueParts } from '../job/ports.ts';

// Two statements that write a batch of transitions. `quickSql` nearly always succeeds. If it fails, `carefulSql` finds out
// why. Both follow the lock order from top to bottom: when a job ends, its universe row and its queue entry are locked
// before the job rows, and the row of the feed's head is locked last, as in `appendTransitions`. The transaction that
// records `completed` also sets `ready_at`, so both become visible at the same time.
//
// Results are merged, so that a transition keeps what its phase pinned while it ran.

const given = `given as materialized (
    select * from json_to_recordset($1::json) as given(n int, last boolean, base int, job_id uuid, symbol text, epoch int,
      sequence int, from_state text, to_state text, event text, duration_ms bigint, status text, outcome text, phase text,
      attempt int, retry_at timestamptz, waited_ms bigint, partial boolean, degraded text, results jsonb, resumes int,
      error_code text, error_message text, error_phase text, settled boolean, entry_id uuid, retry_count int,
      actor_snapshot jsonb, trace jsonb)
  )`;

const locks = (queue: QueueParts | null) =>
  queue === null
    ? ''
    : `, due as materialized (
    select u.symbol from symbol_universe u
    where u.symbol = any(array(select symbol from given where status = 'completed'))
    order by u.symbol collate "C" for no key update
  ), entries as materialized (
    ${queue.lock('select entry_id, retry_count from given where settled')}
  )`;
const afterLocks = (queue: QueueParts | null) =>
  queue ? 'and (select count(*) from due) >= 0 and (select count(*) from entries) >= 0' : '';

/** Sets the job row `j` to the state after transition `f`, its last one in this batch. */
const change = `
      state = f.to_state, status = f.status, outcome = f.outcome, phase = f.phase, attempt = f.attempt,
      retry_at = f.retry_at, waited_ms = f.waited_ms, partial = f.partial, degraded = f.degraded,
      results = j.results || f.results, resumes = f.resumes, sequence = f.sequence,
      error_code = f.error_code, error_message = f.error_message, error_phase = f.error_phase,
      actor_snapshot = f.actor_snapshot,
      node = case when f.settled then null else j.node end,
      queue_entry = case when f.settled then null else j.queue_entry end,
      started_at = coalesce(j.started_at, case when f.status = 'processing' then clock_timestamp() end),
      finished_at = case when f.settled then clock_timestamp() end,
      updated_at = clock_timestamp()`;

/** Universe row and queue entry of jobs that end in this batch. */
const settling = (queue: QueueParts | null, written: string) =>
  queue === null
    ? ''
    : `, marked as (
    update symbol_universe u set ready_at = coalesce(u.ready_at, now()), updated_at = now()
    from (select symbol, status from ${written}) f where f.status = 'completed' and u.symbol = f.symbol
    returning 1
  ), settled as (
    ${queue.complete(`select entry_id, retry_count from ${written} where settled`)}
    returning 1
  )`;

const append = (fresh: string, place: string) => `appended as (
    insert into onboarding_transitions (job_id, symbol, sequence, position, from_state, to_state, event, attempt,
      duration_ms, node, claim_epoch, error_code, error_message, actor_snapshot, trace)
    select f.job_id, f.symbol, f.sequence, head.before + f.${place}, f.from_state, f.to_state, f.event, f.attempt,
      f.duration_ms, $2, f.epoch, f.error_code, f.error_message, f.actor_snapshot, f.trace
    from ${fresh} f, head
    returning position, at
  )`;

const answer = `(select before + 1 from head) as first,
    (select json_agg(at::text order by position) from appended) as at,
    (select pg_notify($3, json_build_object('from', before + 1, 'to', position)::text) from head) as notified`;

/**
 * Optimistic version. $4: ids of the jobs. $5: number of transitions. $6: number of claims. $7: ids of the jobs that
 * enter the universe in this batch.
 *
 * A job row is updated only if it has the claim's epoch (the fencing token) and the sequence right before the batch; a
 * job of $7 also only if nobody requested its cancellation. If one row is not updated, the feed's head is not either, and
 * the division by zero rolls everything back. The head is locked last, because every other writer of the journal waits
 * for that lock.
 */
export const quickSql = (queue: QueueParts | null) => `
  with ${given}${locks(queue)}, changed as (
    update onboarding_jobs j set${change},
      universe_committed_at = case when j.id = any($7::uuid[]) then coalesce(j.universe_committed_at, clock_timestamp())
        else j.universe_committed_at end
    from given f
    where f.last and j.id = f.job_id and j.id = any($4::uuid[]) and j.claim_epoch = f.epoch and j.sequence = f.base
      and (j.cancel_requested_at is null or j.id <> all($7::uuid[]))
      ${afterLocks(queue)}
    returning j.id
  )${settling(queue, 'given')}, head as (
    update feed_head set position = position + $5::int where id = 1 and (select count(*) from changed) = $6::int
      ${queue ? 'and (select count(*) from marked) >= 0 and (select count(*) from settled) >= 0' : ''}
    returning position - $5::int as before, position
  ), ${append('given', 'n')}
  select 1 / (select count(*) from head) = 1 as whole, null as reached, ${answer}`;

/**
 * Slow version that can say why it refuses. `mine` locks the job rows that still have the claim's epoch. `fresh` is what
 * the journal does not have yet: if a connection dies during a commit, nobody can say whether it succeeded, so the batch
 * is sent again. `whole` has one row if no claim is lost and no sequence is missing; without that row nothing is written.
 */
export const carefulSql = (queue: QueueParts | null) => `
  with ${given}${locks(queue)}, mine as materialized (
    select j.id, j.claim_epoch as epoch, j.sequence as reached
    from onboarding_jobs j join given g on g.last and g.job_id = j.id and g.epoch = j.claim_epoch
    where j.id = any(array(select job_id from given where last))
      ${afterLocks(queue)}
    order by j.id for no key update of j
  ), fresh as materialized (
    select g.*, m.reached, row_number() over (order by g.n) as place
    from given g join mine m on m.id = g.job_id and m.epoch = g.epoch where g.sequence > m.reached
  ), whole as materialized (
    select (select count(*) from fresh) as size
    where (select count(*) from mine) = (select count(*) from given where last)
      and not exists (select from fresh group by job_id, reached having max(sequence) <> reached + count(*))
  ), changed as (
    update onboarding_jobs j set${change}
    from fresh f, whole where f.last and j.id = f.job_id and j.claim_epoch = f.epoch
  )${settling(queue, 'fresh, whole')}, head as (
    update feed_head set position = position + whole.size from whole where id = 1 and whole.size > 0
    returning position - whole.size as before, position
  ), ${append('fresh', 'place')}
  select exists (select from whole) as whole, (select json_object_agg(id, reached) from mine) as reached, ${answer}`;
