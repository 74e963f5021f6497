import { type Phase, phases } from '../../machines/protocol.ts';

export interface EstimateInput {
  /** Mean seconds that each phase took lately; empty before anything was measured. */
  phaseSeconds: Partial<Record<Phase, number>>;
  /** Where the job is: null while it is pending. */
  phase: Phase | null;
  /** Unfinished jobs that were admitted before it. */
  ahead: number;
  concurrency: number;
  /** Seconds until a job that backs off runs again. */
  waitSeconds: number;
}

/**
 * Seconds until a job is likely to end, rounded up: its own remaining phases, the queue ahead of it shared by the
 * permits, and what it has to wait anyway. Null as long as no phase was ever measured: a guess would be a lie.
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
