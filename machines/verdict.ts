import { backoffMs } from './backoff.ts';
import { plainText } from './plain-text.ts';
import type { JobContext } from './progress.ts';
import { type JobError, type PhaseFailure, phaseFailureSchema } from './protocol.ts';

/** What becomes of a job whose phase has not succeeded. */
export type Verdict =
  | { kind: 'retry'; attempt: number; retryAt: number; waitedMs: number; error: JobError }
  | { kind: 'degrade'; reason: 'reference_unavailable' | 'calculation_failed'; error: JobError }
  | { kind: 'fail'; error: JobError };

/** Our own database's "wait": a pause of the whole house, which must never cost a job its life. */
const ownPause = 'database_unavailable';

const waitMinMs = 100; // "wait until now", said again and again, must neither spin nor wait for free
const messageMax = 500;

const unexpected: PhaseFailure = {
  code: 'internal_error',
  message: 'An unexpected error stopped this job',
  retryable: false,
  at: 0,
  jitter: 0,
};

/**
 * Judges a failure once, for the guards and the actions alike. `thrown` is what the phase actor rejected with.
 *
 * Tried and failed: uses up the attempt. Told to wait: uses up waiting time instead. Either may be spent. A factor
 * calculation that is spent or cannot succeed degrades to defaults, once; everything else fails the job.
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

/** When and as which attempt the phase runs again, or null when what it may use up is spent. */
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
