import type { JobStatus } from '../../../machines/protocol.ts';
import type { OverviewView } from '../../contract/schemas.ts';
import type { Database } from '../../database/database.orm.ts';

export interface Totals
  extends Pick<OverviewView, 'counts' | 'throughput' | 'feed_position' | 'depth' | 'paused'> {
  /** Mean seconds from the first phase to the end, last hour; null before anything ended. */
  meanRunSeconds: number | null;
}

/**
 * Counts of the jobs that the database holds, exact: a job that retention has deleted is counted no more. Triggers keep
 * the counts, so this reads a few rows whatever the job table holds; every refused upload asks.
 */
export function totalsQuery(database: Database): () => Promise<Totals> {
  return async () => {
    const [row] = await database.sql<TotalsRow>(totalsSql);
    const counts = { ...none, ...row!.counts };
    return {
      paused: row!.paused,
      counts,
      depth: counts.pending + counts.processing,
      throughput: {
        finished_last_hour: row!.finished,
        median_seconds: row!.median === null ? null : Math.round(Number(row!.median) * 1000) / 1000,
      },
      feed_position: Number(row!.position),
      meanRunSeconds: row!.mean_run === null ? null : Number(row!.mean_run),
    };
  };
}

const none: Record<JobStatus, number> = { pending: 0, processing: 0, completed: 0, failed: 0, cancelled: 0 };

// One statement, so that all of it is true at one position.
export const totalsSql = `
  select (select json_object_agg(status, n)
      from (select status, sum(n)::bigint as n from onboarding_job_counts group by status) s) as counts,
    (select position from feed_head where id = 1) as position,
    coalesce((select value = 'true'::jsonb from service_state where key = 'paused'), false) as paused,
    count(*)::int as finished,
    percentile_cont(0.5) within group (order by extract(epoch from finished_at - created_at)) as median,
    avg(extract(epoch from finished_at - started_at)) as mean_run
  from onboarding_jobs
  where finished_at > now() - interval '1 hour' and status in ('completed', 'failed')`;

interface TotalsRow {
  paused: boolean;
  counts: Partial<Record<JobStatus, number>> | null;
  position: string;
  finished: number;
  median: number | null;
  mean_run: number | null;
}
