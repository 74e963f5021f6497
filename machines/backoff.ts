/** `attempt` is the failed attempt, from 1. `jitter` is uniform in [0, 1), drawn by the caller. */
export interface BackoffInput {
  attempt: number;
  baseMs: number;
  maxMs: number;
  jitter: number;
}

/**
 * How long to wait before the next attempt: exponential, capped, with full jitter.
 *
 * The ceiling is `baseMs` after the first attempt and doubles with each further one up to `maxMs`; the wait is
 * uniform between 0 and the ceiling, in whole milliseconds. Full jitter spreads jobs that failed together over the
 * whole interval, so they do not retry at the same time. Source: Brooker, "Exponential Backoff And Jitter", AWS, 2015.
 *
 *     backoffMs({ attempt: 3, baseMs: 1000, maxMs: 30_000, jitter: 0.5 })   // 2000, half of 1000 x 2 x 2
 */
export function backoffMs({ attempt, baseMs, maxMs, jitter }: BackoffInput): number {
  const ceilingMs = Math.min(maxMs, baseMs * 2 ** (attempt - 1));
  return Math.floor(ceilingMs * jitter);
}
