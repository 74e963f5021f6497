import { backoffMs } from './backoff.ts';
import { plainText } from './plain-text.ts';
import type { JobContext } from './progress.ts';
import { type JobError, type PhaseFailure, phaseFailureSchema } from './protocol.ts';

/** What happens to a job whose phase failed. */
export type Verdict =
  | { kind: 'retry'; attempt: number; retryAt: number; waitedMs: number; error: JobError }
  | { kind: 'degrade'; reason: 'reference_unavailable' | 'calculation_failed'; error: JobError }
  | { kind: 'fail'; error: JobError };

/** The "wait" of the service's own database. It affects all jobs, so it must never fail one of them. */
const ownPause = 'database_unavailable';

const waitMinMs = 100; // a provider that always says "wait until now" must not cause a busy loop, and each wait must count
const messageMax = 500;

const unexpected: PhaseFailure = {
  code: 'internal_error',
  message: 'An unexpected error stopped this job',
  retryable: false,
  at: 0,
  jitter: 0,
};

/**
 * Decides what follows a failure, in one place for guards and actions. `thrown` is the rejection of the phase actor.
 *
 * A failed attempt uses up an attempt. A requested wait uses up waiting time instead. Both have a limit. When a factor
 * calculation has reached a limit or failed permanently, it degrades to defaults, once; any other phase fails the job.
 */
export function verdictOn(context: JobContext, thrown: unknown): Verdict {
  const failure = phaseFailureSchema.safeParse(thrown).data ?? unexpected;
  const error = {
    code: plainText(failure.code, 100),
    message: plainText(failure.message, messageMax),
    phase: context.phase,
  };
  const again = failure.retryable ? anotherTry(context, failure) : null;
  if (again) return { kind: 'retry', ...again, error };
  if (context.phase === 'factors' && context.degraded === null) {
    return {
      kind: 'degrade',
      reason: failure.retryable ? 'reference_unavailable' : 'calculation_failed',
      error,
    };
  }
  return { kind: 'fail', error };
}

/** The time and number of the next attempt, or null if attempts or waiting time are used up. */
function anotherTry({ limits, attempt, waitedMs }: JobContext, failure: PhaseFailure) {
  const { at, jitter, retryAt } = failure;
  if (retryAt === undefined) {
    if (attempt > limits.retryLimit) return null;
    const ms = backoffMs({ attempt, baseMs: limits.retryBaseMs, maxMs: limits.retryMaxMs, jitter });
    return { attempt: attempt + 1, retryAt: at + ms, waitedMs };
  }
  const ms = Math.max(retryAt - at, waitMinMs);
  if (failure.code === ownPause) return { attempt, retryAt: at + ms, waitedMs };
  return waitedMs + ms > limits.retryWaitMaxMs
    ? null
    : { attempt, retryAt: at + ms, waitedMs: waitedMs + ms };
}
