import type { Totals } from '../queries/job-counts.query.ts';

export interface RunningLimits {
  /** Jobs that run at the same time on a node. */
  concurrency: number;
  /** Jobs that run at the same time over all nodes; null without a ceiling. */
  clusterConcurrency: number | null;
}

type QueueState = Pick<Totals, 'depth' | 'paused' | 'meanRunSeconds'>;

const unmeasuredSeconds = 30; // used until the first job was measured
const pausedSeconds = 300; // an operator's pause usually lasts minutes

/** `Retry-After` of a full queue, in seconds: until it is empty, or a fixed wait while it is paused or unmeasured. */
export function retryAfterSeconds(queue: QueueState, limits: RunningLimits): number {
  return queue.paused ? pausedSeconds : Math.max(1, drainSeconds(queue, limits) ?? unmeasuredSeconds);
}

/** Estimated seconds until all admitted jobs have ended. Null while paused, and before the first job was measured. */
export function drainSeconds(
  { depth, paused, meanRunSeconds }: QueueState,
  { concurrency, clusterConcurrency }: RunningLimits,
): number | null {
  if (depth === 0) return 0;
  if (paused || meanRunSeconds === null) return null;
  return Math.ceil((depth / Math.min(concurrency, clusterConcurrency ?? concurrency)) * meanRunSeconds);
}
