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
  type PhaseResults,
  phases,
} from './protocol.ts';

/** What a job's machine remembers. */
export interface JobContext {
  claim: Claim;
  limits: JobLimits;
  /** The status that the job row had when the child was spawned: where `route` begins. */
  startsAt: JobProgress['status'];
  /** The phase that runs, runs next, or was the last to run. */
  phase: Phase;
  /** The attempt of `phase` that runs now or runs next, from 1. */
  attempt: number;
  /** Epoch milliseconds until which the job backs off, or null. */
  retryAt: number | null;
  /** All the waiting so far because a provider said "wait until". */
  waitedMs: number;
  partial: boolean;
  degraded: string | null;
  results: PhaseResults;
  resumes: number;
  /** At rest in `failed`: why. While processing: why the last attempt of this phase failed, if one did. */
  error: JobError | null;
  /** True while the supervisor counts this job among those that may run. */
  permit: boolean;
}

/** What the job row keeps of a machine's state. */
export interface JobState extends Omit<JobProgress, 'status'> {
  status: JobStatus;
  outcome: 'complete' | 'partial' | null;
  error: JobError | null;
}

/** XState builds a context without input whenever it only asks what would happen, so a missing one is fine. */
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

/** The row's fields. Whoever is at rest backs off no more. */
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

/** The status of a job in the state of that name. */
export function statusOf(name: string): JobStatus {
  return name.split('.', 1)[0] as JobStatus;
}

/** True in `completed`, `failed` and `cancelled`, where a job stays until somebody retries it, if at all. */
export function isAtRest(name: string): boolean {
  return name === 'completed' || name === 'failed' || name === 'cancelled';
}

/** Taken over more often in a row than it may be without completing a phase: it takes its process down. */
export function isResumedTooOften({ resumes }: { resumes: number }, { resumeLimit }: JobLimits): boolean {
  return resumes > resumeLimit;
}

/** Whether a child that is spawned so asks for a permit at once: it enters `pending`, or a phase that it may begin. */
export function asksAtOnce(progress: JobProgress, limits: JobLimits): boolean {
  if (isResumedTooOften(progress, limits)) return false;
  return progress.status === 'pending' || progress.retryAt === null;
}

/** What the phase actor is told. Only `factors` hears that it shall store defaults. */
export function phaseInputOf({ claim, phase, attempt, results, degraded }: JobContext): PhaseInput {
  return { claim, phase, attempt, results, degraded: phase === 'factors' ? degraded : null };
}

/** After a phase: its results kept, the next phase begun with all its attempts, the count of takeovers at 0. */
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
 * A retry begins `phase` anew, and one of the first phase knows nothing yet. Beginning `factors` anew means to measure,
 * whatever was stored before, and against the proxies of today: the version that the ended attempt was pinned to is
 * forgotten.
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
