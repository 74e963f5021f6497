import type { ActorSnapshot } from '../../../machines/actor-snapshot.ts';
import type { JobStatus, Phase, PhaseResults } from '../../../machines/protocol.ts';
import { type JournalEntry, replay, unreplayable } from '../../../machines/replay.ts';
import type {
  ActorsQuery,
  ActorsView,
  ActorView,
  TimelineQuery,
  TimelineView,
} from '../../contract/schemas.ts';
import type { Database } from '../../database/database.orm.ts';
import { normaliseSymbol } from '../../market/normalise-symbol.ts';
import type { TransitionTrace } from '../job/transition-trace.ts';
import { jobView, type LiveActors, type StoredJob, storedJobView, supervisorView } from './actor-views.ts';
import { iso, type TransitionRow, transitionColumns, transitionOf } from './job.query.ts';
import { jobsSql } from './job-page-sql.ts';

export interface ActorQueries {
  list(query: ActorsQuery): Promise<ActorsView>;
  /** `supervisor`, or a job by its id. Null if there is no such job. */
  find(id: string): Promise<ActorView | null>;
  /** A job as it was after this transition. Null if the job or the transition does not exist. */
  findAt(jobId: string, sequence: number): Promise<ActorView | null>;
  timeline(jobId: string, page: TimelineQuery): Promise<TimelineView | null>;
}

/** Reads jobs as actors: live if `live` has them in memory, else from the database. */
export function actorQueries(database: Database, live: () => LiveActors): ActorQueries {
  const jobs = async (condition: string, parameters: unknown[]) =>
    (await database.sql<JobRow>(`${jobSql} where ${condition}`, parameters)).map(storedOf);
  return {
    async list({ symbol: raw, ...query }) {
      const { limit } = query;
      const symbol = raw === undefined ? undefined : normaliseSymbol(raw).symbol;
      const page = jobsSql({ ...query, symbol: symbol ?? undefined });
      const condition = `id in (select id from (${page.text}) page) order by id desc`;
      // An invalid symbol has no jobs.
      const found = symbol === null ? [] : await jobs(condition, page.parameters);
      // Read after the rows, so that a live actor is never older than its row.
      const now = live();
      const shown = found.slice(0, limit);
      return {
        node: now.node,
        supervisor: supervisorView(now),
        actors: shown.map((job) => jobView(job, now)),
        next_cursor: found.length > limit ? shown.at(-1)!.context.claim.jobId : null,
      };
    },
    async find(id) {
      if (id === 'supervisor') return supervisorView(live());
      const [job] = await jobs('id = $1::uuid', [id]);
      return job ? jobView(job, live()) : null;
    },
    async findAt(jobId, sequence) {
      const journal = await journalOf(database, jobId, sequence);
      if (journal?.entries.at(-1)?.sequence !== sequence) return null;
      return viewOf(journal);
    },
    async timeline(jobId, { limit, cursor = 0 }) {
      const [job] = await database.sql<{ symbol: string; status: JobStatus }>(
        'select symbol, status from onboarding_jobs where id = $1::uuid',
        [jobId],
      );
      if (!job) return null;
      const rows = await database.sql<TransitionRow & { trace: TransitionTrace | null }>(
        `select ${transitionColumns}, trace from onboarding_transitions
         where job_id = $1::uuid and sequence > $2 order by sequence limit $3`,
        [jobId, cursor, limit + 1],
      );
      const page = rows.slice(0, limit);
      const next_cursor = rows.length > limit ? String(page.at(-1)!.sequence) : null;
      return { job_id: jobId, ...job, entries: page.map(timelineEntryOf), next_cursor };
    },
  };
}

export interface JobJournal {
  job: { jobId: string; symbol: string; reason: StoredJob['context']['claim']['reason'] };
  /** The version of the machine when the job was admitted. */
  machineVersion: number;
  entries: (JournalEntry & { attempt: number; node: string | null; at: string })[];
}

/** Everything that a replay of a job needs, up to one of its transitions. Null if there is no such job. */
export async function journalOf(
  database: Database,
  jobId: string,
  upTo = 2 ** 31 - 1,
): Promise<JobJournal | null> {
  const [job] = await database.sql<{
    symbol: string;
    reason: JobJournal['job']['reason'];
    machine_version: number;
  }>('select symbol, reason, machine_version from onboarding_jobs where id = $1::uuid', [jobId]);
  if (!job) return null;
  const rows = await database.sql<TransitionRow & { actor_snapshot: unknown; trace: TransitionTrace | null }>(
    `select ${transitionColumns}, actor_snapshot, trace from onboarding_transitions
     where job_id = $1::uuid and sequence <= $2 order by sequence`,
    [jobId, upTo],
  );
  const entries = rows.map((row) => ({
    sequence: row.sequence,
    from: row.from_state,
    to: row.to_state,
    event: row.event,
    attempt: row.attempt,
    claimEpoch: row.claim_epoch,
    node: row.node,
    at: iso(row.at),
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' },
    actorSnapshot: row.actor_snapshot,
    input: row.trace,
  }));
  const { symbol, reason, machine_version: machineVersion } = job;
  return { job: { jobId, symbol, reason }, machineVersion, entries };
}

// Rows of admissions, claims and retries store no actor snapshot. A replay through the machine computes it.
function viewOf({ job, entries }: JobJournal): ActorView {
  const last = entries.at(-1)!;
  const replayed = unreplayable(entries) === null ? replay(job, entries).at(-1) : undefined;
  const snapshot = (last.actorSnapshot as ActorSnapshot | null) ?? replayed?.actorSnapshot;
  const context = snapshot?.context as Partial<StoredJob['context']> | undefined;
  const claim = { ...job, epoch: last.claimEpoch };
  const stored: StoredJob = {
    context: { ...unknownContext, attempt: last.attempt, ...context, claim },
    state: last.to,
    sequence: last.sequence,
    node: last.node,
    at: last.at,
  };
  return storedJobView(stored, snapshot);
}

/** For journals that cannot be replayed and have no stored actor snapshot. */
const unknownContext = {
  phase: 'fetch' as Phase,
  retryAt: null,
  waitedMs: 0,
  partial: false,
  degraded: null,
  results: {},
  resumes: 0,
  error: null,
};

interface JobRow {
  id: string;
  symbol: string;
  reason: StoredJob['context']['claim']['reason'];
  claim_epoch: number;
  state: string;
  sequence: number;
  node: string | null;
  phase: Phase;
  attempt: number;
  retry_at: string | null;
  waited_ms: string;
  partial: boolean;
  degraded: string | null;
  results: PhaseResults;
  resumes: number;
  error_code: string | null;
  error_message: string | null;
  error_phase: Phase | null;
  updated_at: string;
}

const jobSql = `select id, symbol, reason, claim_epoch, state, sequence, node, phase, attempt, retry_at, waited_ms, partial,
  degraded, results, resumes, error_code, error_message, error_phase, updated_at from onboarding_jobs`;

function storedOf(row: JobRow): StoredJob {
  const { id: jobId, symbol, reason, claim_epoch: epoch, phase, attempt, partial, degraded, results } = row;
  return {
    context: {
      claim: { jobId, symbol, reason, epoch },
      phase,
      attempt,
      retryAt: row.retry_at === null ? null : Date.parse(row.retry_at),
      waitedMs: Number(row.waited_ms),
      partial,
      degraded,
      results,
      resumes: row.resumes,
      error:
        row.error_code === null
          ? null
          : { code: row.error_code, message: row.error_message ?? '', phase: row.error_phase },
    },
    state: row.state,
    sequence: row.sequence,
    node: row.node,
    at: iso(row.updated_at),
  };
}

function timelineEntryOf(
  row: TransitionRow & { trace: TransitionTrace | null },
): TimelineView['entries'][number] {
  const { requests = [], fallbacks = [], writes = 0, omitted = 0 } = row.trace ?? {};
  return {
    ...transitionOf(row),
    provider_requests: requests.map(({ durationMs, at, provider, url, status, result, bytes }) => ({
      ...{ provider, url, status, result, bytes },
      duration_ms: durationMs,
      at: new Date(at).toISOString(),
    })),
    provider_fallbacks: fallbacks.map(({ at, from, to, code, message }) => ({
      ...{ from, to, code, message },
      at: new Date(at).toISOString(),
    })),
    requests_omitted: omitted,
    database_writes: writes,
  };
}
