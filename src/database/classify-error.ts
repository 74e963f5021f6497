import { AppError } from '../kernel/errors.ts';

const conflictStates = new Set(['40001', '40P01', '55P03']);
// Transient like an outage: a standby after a failover (25006), and a statement that was cancelled or timed out
// (57014).
const outageStates = /^(08|57|53|58)|^25(006|P03)$/;
const outageErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const outageMessages =
  /connection terminated|connection ended|is not queryable|timeout exceeded when trying to connect|PGlite is closed/i;
const outagePauseMs = 2000; // spares a database that is restarting; users do not notice the delay

/** Turns database errors into `AppError`s. Other errors pass through. */
export function classified(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = String((cause as { code?: unknown }).code ?? '');
    if (conflictStates.has(code)) {
      return new AppError('database_conflict', 'The change conflicted with a concurrent one.', {
        retryable: true,
        cause: error,
      });
    }
    if (outageStates.test(code) || outageErrors.has(code) || outageMessages.test(cause.message)) {
      return new AppError('database_unavailable', 'The database does not answer.', {
        retryAt: Date.now() + outagePauseMs,
        cause: error,
      });
    }
  }
  return error;
}
