import { onOneNode } from '../../database/advisory-locks.ts';
import type { Database } from '../../database/database.orm.ts';

/** The last job of the previous batch. */
export interface JobCursor {
  finishedAt: string;
  id: string;
}

export interface JobRetentionStore {
  /**
   * Looks at the next batch of jobs after `after`, and deletes those that ended before `before` (ISO 8601). Returns the
   * cursor of the next batch; null at the end, or while another node prunes.
   *
   * Keeps the newest job of each symbol, because it gives the symbol its status. Also keeps a job that still has a
   * journal: the feed above its floor must be complete, and the journal of a job is only deleted as a whole.
   */
  prune(before: string, after: JobCursor | null): Promise<JobCursor | null>;
}

/** `batch`: the number of jobs to look at in one transaction. */
export function jobRetentionStore(database: Database, { batch = 200 } = {}): JobRetentionStore {
  return {
    prune: (before, after) =>
      onOneNode(database, 'pruneJobs', async (on) => {
        const { finishedAt, id } = after ?? beforeAll;
        const parameters = [before, finishedAt, id, batch];
        const [last] = await database.sql<JobCursor & { seen: number }>(pruneSql, parameters, { on });
        return last?.seen === batch ? { finishedAt: last.finishedAt, id: last.id } : null;
      }),
  };
}

const beforeAll: JobCursor = { finishedAt: '-infinity', id: '00000000-0000-0000-0000-000000000000' };

// A retry locks the job's row too, so it finds either the whole job or none. If the retry locks the row first, the job
// is unfinished afterwards, and the condition on `j` no longer holds.
const pruneSql = `
  with seen as materialized (
    select id, finished_at from onboarding_jobs
    where finished_at < $1::timestamptz and (finished_at, id) > ($2::timestamptz, $3::uuid)
    order by finished_at, id limit $4
  ), due as materialized (
    select j.id from onboarding_jobs j
    where j.id = any(array(select id from seen)) and j.finished_at < $1::timestamptz
      and j.status not in ('pending', 'processing')
      and exists (select from onboarding_jobs newer where newer.symbol = j.symbol and newer.id > j.id)
      and not exists (select from onboarding_transitions t where t.job_id = j.id)
    order by j.id for update of j skip locked
  ), gone as (
    delete from onboarding_jobs j using due where j.id = due.id
  )
  select finished_at::text as "finishedAt", id, (select count(*)::int from seen) as seen
  from seen order by seen.finished_at desc, id desc limit 1`;
