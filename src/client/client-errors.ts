import type { ProblemCode } from '../api/problems/problem-catalog.ts';
import type { LiveErrorCode, Problem } from '../contract/schemas.ts';

/** A refusal of the service: RFC 9457 problem details, with all that they say. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  /** Stable: branch on this. A newer service may know more codes. */
  readonly code: ProblemCode | (string & {});
  readonly status: number;
  readonly problem: Problem;
  /** Seconds after which to try again, where the service says so. */
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
 * Why no answer of the service came. `connection_lost`: in the middle of it, so the request may have been done;
 * `unreachable`: before a byte was sent.
 */
export type ConnectionErrorCode = 'unreachable' | 'connection_lost' | 'timeout' | 'not_the_service';

export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ConnectionErrorCode;
  /** The system's own word, like `ECONNREFUSED`; null where it has none. */
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

/** The feed refuses a subscription: it would refuse it again. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly code: LiveErrorCode;

  constructor(code: LiveErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
