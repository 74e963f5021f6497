import type { ProblemCode } from '../api/problems/problem-catalog.ts';
import type { LiveErrorCode, Problem } from '../contract/schemas.ts';

/** A problem response of the service (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  /** Stable: branch on this. A newer service may have more codes. */
  readonly code: ProblemCode | (string & {});
  readonly status: number;
  readonly problem: Problem;
  /** Seconds to wait before a retry; null if the service does not say. */
  readonly retryAfterSeconds: number | null;

  constructor(problem: Problem) {
    super(problem.detail);
    this.code = problem.code;
    this.status = problem.status;
    this.problem = problem;
    this.retryAfterSeconds = problem.retry_after_seconds ?? null;
  }
}

/**
 * Why there is no response. `connection_lost`: after the request was sent, so it may have been done; `unreachable`: before
 * a byte was sent.
 */
export type ConnectionErrorCode = 'unreachable' | 'connection_lost' | 'timeout' | 'not_the_service';

export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ConnectionErrorCode;
  /** The code of the system, like `ECONNREFUSED`, or null. */
  readonly reason: string | null;

  constructor(
    code: ConnectionErrorCode,
    message: string,
    { reason = null, cause }: { reason?: string | null; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.reason = reason;
  }
}

/** The feed refused a subscription; a retry would be refused too. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly code: LiveErrorCode;

  constructor(code: LiveErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
