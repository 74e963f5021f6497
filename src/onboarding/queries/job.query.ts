import { statusOf } from '../../../machines/job.ts';
import { type Phase, phases } from '../../../machines/protocol.ts';
import type { JobDetailView, JobsQuery, JobView, TransitionView } from '../../contract/schemas.ts';
import type { Viewer } from '../../contract/service.ts';
import type { Database } from '../../database/database.orm.ts';
import { type Totals, totalsQuery } from './job-counts.query.ts';
import { jobColumns, jobsSql } from './job-page-sql.ts';

/** Queries on jobs and their journal, in the shape of the API. They return committed state only. */
export interface JobQueries {
  /** Null if the portfolio in the query does not exist or belongs to another user. */
  list(query: JobsQuery, viewer: Viewer): Promise<{ jobs: JobView[]; next_cursor: string | null } | null>;
  find(id: string): Promise<JobDetailView | null>;
  totals(): Promise<Totals>;
}

export function jobQueries(database: Database): JobQueries {
  const isVisible = async (portfolio: string, { role, name }: Viewer) => {
    const rows = await database.sql('select 1 from portfolios where id = $1::uuid and ($2 or owner = $3)', [
      portfolio,
      role === 'operator',
      name,
    ]);
    return rows.length > 0;
  };
  return {
    async list(query, viewer) {
      if (query.portfolio_id !== undefined && !(await isVisible(query.portfolio_id, viewer))) return null;
      const { text, parameters } = jobsSql(query);
      const rows = await database.sql<JobRow>(text, parameters);
      const page = rows.slice(0, query.limit);
      return { jobs: page.map(jobOf), next_cursor: rows.length > query.limit ? page.at(-1)!.id : null };
    },
    async find(id) {
      const [row] = await database.sql<JobRow & Pick<JobDetailView, 'actor_snapshot'>>(
        `select ${jobColumns}, actor_snapshot from onboarding_jobs where id = $1::uuid`,
        [id],
      );
      if (!row) return null;
      const timeline = await database.sql<TransitionRow>(timelineSql, [id]);
      return { ...jobOf(row), actor_snapshot: row.actor_snapshot, timeline: timeline.map(transitionOf) };
    },
    totals: totalsQuery(database),
  };
}

export interface JobRow {
  id: string;
  symbol: string;
  reason: JobView['reason'];
  status: JobView['status'];
  outcome: JobView['outcome'];
  state: string;
  phase: Phase;
  attempt: number;
  retry_at: string | null;
  waited_ms: string;
  resumes: number;
  sequence: number;
  node: string | null;
  error_code: string | null;
  error_message: string | null;
  error_phase: Phase | null;
  cancel_requested_at: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  updated_at: string;
}

export const jobOf = (row: JobRow): JobView => ({
  job_id: row.id,
  symbol: row.symbol,
  reason: row.reason,
  status: row.status,
  outcome: row.outcome,
  state: row.state,
  phase: row.phase,
  attempt: row.attempt,
  progress: progressIn(row.status, row.phase),
  retry_at: iso(row.retry_at),
  waited_ms: Number(row.waited_ms),
  resumes: row.resumes,
  sequence: row.sequence,
  node: row.node,
  error: row.error_code
    ? { code: row.error_code, message: row.error_message ?? '', phase: row.error_phase }
    : null,
  cancel_requested_at: iso(row.cancel_requested_at),
  created_at: iso(row.created_at),
  started_at: iso(row.started_at),
  finished_at: iso(row.finished_at),
  updated_at: iso(row.updated_at),
});

export interface TransitionRow {
  job_id: string;
  symbol: string;
  position: string;
  sequence: number;
  from_state: string | null;
  to_state: string;
  event: string;
  attempt: number;
  duration_ms: string | number | null;
  node: string | null;
  claim_epoch: number;
  error_code: string | null;
  error_message: string | null;
  at: string;
}

export const transitionColumns = `job_id, symbol, position, sequence, from_state, to_state, event, attempt,
  duration_ms, node, claim_epoch, error_code, error_message, at`;

const timelineSql = `
  select ${transitionColumns} from onboarding_transitions where job_id = $1::uuid order by sequence`;

export function transitionOf(row: TransitionRow): TransitionView {
  const status = statusOf(row.to_state);
  const phase = phases.find((name) => name === row.to_state.split('.')[1]) ?? null;
  return {
    job_id: row.job_id,
    symbol: row.symbol,
    position: Number(row.position),
    sequence: row.sequence,
    from: row.from_state,
    to: row.to_state,
    event: row.event,
    status,
    phase,
    attempt: row.attempt,
    progress: progressIn(status, phase),
    duration_ms: row.duration_ms === null ? null : Number(row.duration_ms),
    node: row.node,
    claim_epoch: row.claim_epoch,
    error: row.error_code ? { code: row.error_code, message: row.error_message ?? '' } : null,
    at: iso(row.at),
  };
}

/** Completed phases over all phases. */
export function progressIn(status: string, phase: Phase | null): number {
  if (status === 'completed') return 1;
  return phase === null ? 0 : phases.indexOf(phase) / phases.length;
}

/** Converts a timestamp of the database to ISO 8601 in UTC. */
export function iso<T extends string | null>(timestamp: T): T {
  return (timestamp === null ? null : new Date(timestamp).toISOString()) as T;
}
