import type { StateValue } from 'xstate';
import {
  type Claim,
  type JobError,
  type JobInput,
  type JobLimits,
  type JobProgress,
  type JobStatus,
  jobLimitsSchema,
  type Phase,
  type PhaseInput,
  type PhaseOutput,
  phases,
} from './protocol.ts';

/** The context of a job's machine: its progress, and what only the running machine knows. */
export interface JobContext extends Omit<JobProgress, 'status'> {
  claim: Claim;
  limits: JobLimits;
  /** The status of the job row when the child was spawned; `route` starts from it. */
  startsAt: JobProgress['status'];
  /** In `failed`: why the job failed. In `processing`: why the last attempt of this phase failed, or null. */
  error: JobError | null;
  /** True while this job holds a permit of the supervisor. */
  permit: boolean;
}

/** The part of the machine's state that the job row stores. */
export interface JobState extends Omit<JobProgress, 'status'> {
  status: JobStatus;
  outcome: 'complete' | 'partial' | null;
  error: JobError | null;
}

/** XState also builds a context without input when it only computes transitions, so `input` may be missing. */
export function contextOf(input: JobInput | undefined): JobContext {
  const progress = input?.progress;
  return {
    claim: input?.claim ?? { jobId: '', symbol: '', reason: 'manual', epoch: 0 },
    limits: input?.limits ?? jobLimitsSchema.parse({}),
    startsAt: progress?.status ?? 'pending',
    phase: progress?.phase ?? 'fetch',
    attempt: progress?.attempt ?? 1,
    retryAt: progress?.retryAt ?? null,
    waitedMs: progress?.waitedMs ?? 0,
    partial: progress?.partial ?? false,
    degraded: progress?.degraded ?? null,
    results: progress?.results ?? {},
    resumes: progress?.resumes ?? 0,
    error: null,
    permit: false,
  };
}

/** The fields of the job row. */
export function progressOf({ value, context }: { value: StateValue; context: JobContext }): JobState {
  const status = statusOf(stateName(value));
  const { phase, attempt, retryAt, waitedMs, partial, degraded, results, resumes, error } = context;
  const outcome = status !== 'completed' ? null : partial ? 'partial' : 'complete';
  return {
    status,
    outcome,
    phase,
    attempt,
    retryAt,
    waitedMs,
    partial,
    degraded,
    results,
    resumes,
    error,
  };
}

/** A state value as one name: `{ processing: { fetch: 'running' } }` is `processing.fetch.running`. */
export function stateName(value: StateValue): string {
  if (typeof value === 'string') return value;
  return Object.entries(value)
    .map(([parent, child]) => (child === undefined ? parent : `${parent}.${stateName(child)}`))
    .join(' ');
}

/** The job status of a state name. */
export function statusOf(name: string): JobStatus {
  return name.split('.', 1)[0] as JobStatus;
}

/** True in `completed`, `failed` and `cancelled`. A job stays there unless it is retried. */
export function isAtRest(name: string): boolean {
  return name === 'completed' || name === 'failed' || name === 'cancelled';
}

/** True after too many takeovers in a row without a completed phase: the job probably crashes its process. */
export function isResumedTooOften({ resumes }: { resumes: number }, { resumeLimit }: JobLimits): boolean {
  return resumes > resumeLimit;
}

/** Whether a child spawned with this progress requests a permit immediately: in `pending`, or in a phase without backoff. */
export function asksAtOnce(progress: JobProgress, limits: JobLimits): boolean {
  if (isResumedTooOften(progress, limits)) return false;
  return progress.status === 'pending' || progress.retryAt === null;
}

/** The input of the phase actor. Only `factors` gets the reason for storing defaults. */
export function phaseInputOf({ claim, phase, attempt, results, degraded }: JobContext): PhaseInput {
  return { claim, phase, attempt, results, degraded: phase === 'factors' ? degraded : null };
}

/** The context after a phase: results merged, next phase at its first attempt, takeovers reset to 0. */
export function afterPhase(context: JobContext, output: PhaseOutput): Partial<JobContext> {
  return {
    results: { ...context.results, ...output.results },
    partial: context.partial || output.partial === true,
    phase: phases[phases.indexOf(context.phase) + 1] ?? context.phase,
    attempt: 1,
    retryAt: null,
    resumes: 0,
    error: null,
  };
}

/**
 * A retry restarts `phase`; a retry of the first phase drops all results. A retry of `factors` measures again instead of
 * keeping stored defaults, and uses today's proxies: the proxy version pinned by the earlier attempt is dropped.
 */
export function retryFrom(phase: Phase, { partial, degraded, results }: JobContext): Partial<JobContext> {
  const measures = phase === 'factors';
  const { proxyVersion: _, ...others } = results;
  return {
    phase,
    attempt: 1,
    retryAt: null,
    waitedMs: 0,
    resumes: 0,
    partial: partial && !measures,
    degraded: measures ? null : degraded,
    results: phase === 'fetch' ? {} : measures ? others : results,
    error: null,
    permit: false,
  };
}
