/**
 * An external failure, classified once, where it occurs.
 *
 * The job machine reads `retryable` and never parses messages. `retryAt` (epoch milliseconds) means "wait until then"
 * and uses up no attempt. `message` is for users: plain words that end with the evidence, no internals. The original
 * error goes into `cause`, for the log.
 *
 *     throw new AppError('provider_throttled', 'Yahoo throttles requests until 10:15', { retryAt, cause })
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
