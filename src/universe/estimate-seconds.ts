import { type Phase, phases } from '../../machines/protocol.ts';

export interface EstimateInput {
  /** Recent mean duration of each phase in seconds; empty before the first measurement. */
  phaseSeconds: Partial<Record<Phase, number>>;
  /** The job's current phase; null while it is pending. */
  phase: Phase | null;
  /** Unfinished jobs that were admitted before it. */
  ahead: number;
  concurrency: number;
  /** Seconds until the job runs again, if it is backing off. */
  waitSeconds: number;
}

/**
 * Estimated seconds until a job ends, rounded up: its remaining phases, plus the queue ahead of it divided by the
 * permits, plus its backoff. Null until a phase has been measured, because there is no basis for an estimate.
 */
export function estimateSeconds({
  phaseSeconds,
  phase,
  ahead,
  concurrency,
  waitSeconds,
}: EstimateInput): number | null {
  if (Object.keys(phaseSeconds).length === 0) return null;
  const sum = (left: readonly Phase[]) => left.reduce((total, name) => total + (phaseSeconds[name] ?? 0), 0);
  const own = sum(phase === null ? phases : phases.slice(phases.indexOf(phase)));
  const queue = phase === null ? (ahead / concurrency) * sum(phases) : 0;
  return Math.ceil(own + queue + waitSeconds);
}
