/** The parts of a request that may be logged. */
interface LoggedRequest {
  method: string;
  url: string;
  ip?: string;
}

/**
 * Options for the service's pino logger.
 *
 * Logs method, path and peer of a request only: headers have tokens, queries may have tickets, bodies have portfolios.
 */
export function logOptions(level: string) {
  return {
    level,
    serializers: {
      req: ({ method, url, ip }: LoggedRequest) => ({ method, path: url.split('?')[0], peer: ip }),
    },
    redact: { paths: ['authorization', '*.authorization', 'token', '*.token', 'cookie', '*.cookie'] },
  };
}

type Log = (...args: never[]) => void;
interface Logger {
  child(bindings: object, options?: object): Logger;
  level: string;
  info: Log;
  error: Log;
  debug: Log;
  fatal: Log;
  warn: Log;
  trace: Log;
  silent: Log;
}

/**
 * A lazy child logger for routes that hardly log: creating one takes 7 µs, so it is created at the first line. Writes
 * `warn` and above only.
 */
export function deferredChild<Parent>(parent: Parent, bindings: object, options: object): Parent {
  return new DeferredLogger(parent as unknown as Logger, bindings, options) as unknown as Parent;
}

class DeferredLogger implements Logger {
  readonly #parent: Logger;
  readonly #bindings: object;
  readonly #options: object;
  #made: Logger | undefined;
  declare level: string;

  constructor(parent: Logger, bindings: object, options: object) {
    this.#parent = parent;
    this.#bindings = bindings;
    this.#options = options;
  }

  #logger(): Logger {
    this.#made ??= this.#parent.child(this.#bindings, this.#options);
    return this.#made;
  }

  child(bindings: object, options?: object): Logger {
    return this.#logger().child(bindings, options);
  }

  warn(...line: never[]): void {
    this.#logger().warn(...line);
  }

  error(...line: never[]): void {
    this.#logger().error(...line);
  }

  fatal(...line: never[]): void {
    this.#logger().fatal(...line);
  }

  info(): void {}
  debug(): void {}
  trace(): void {}
  silent(): void {}
}
DeferredLogger.prototype.level = 'warn';
