/**
 * A failure of the world, classified once, where it arises.
 *
 * `retryable` is what the job machine reads; it never parses messages. `retryAt` (epoch milliseconds) marks an
 * answer of the kind "wait until then", which uses up no attempt. `message` is for users: plain words that end
 * with the evidence, no internals; the original goes into `cause`, for the log.
 *
 *     throw new AppError('provider_throttled', 'Yahoo asks to wait until 10:15', { retryAt, cause })
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAt: number | undefined;
  readonly details: Record<string, unknown>;

  constructor(
    code: string,
    message: string,
    options: {
      retryable?: boolean;
      retryAt?: number;
      details?: Record<string, unknown>;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? options.retryAt !== undefined;
    this.retryAt = options.retryAt;
    this.details = options.details ?? {};
  }
}
