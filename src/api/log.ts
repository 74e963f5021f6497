/** The part of a request that the log may show. */
interface LoggedRequest {
  method: string;
  url: string;
  ip?: string;
}

/**
 * Options for the service's pino logger.
 *
 * A request is logged by method, path and peer: headers carry tokens, queries may carry tickets, bodies carry
 * portfolios, and none of them belongs in a log.
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
 * The logger of a request that is made when something is to be written, for routes that write next to nothing: making
 * one takes 7 µs. Only what is more than information is written.
 */
export function deferredChild<Parent>(parent: Parent, bindings: object, options: object): Parent {
  let made: Logger | undefined;
  const child = () => {
    made ??= (parent as unknown as Logger).child(bindings, options);
    return made;
  };
  const quiet = () => {};
  const deferred: Logger = {
    child: (more, how) => child().child(more, how),
    level: 'warn',
    trace: quiet,
    debug: quiet,
    info: quiet,
    silent: quiet,
    warn: (...args) => child().warn(...args),
    error: (...args) => child().error(...args),
    fatal: (...args) => child().fatal(...args),
  };
  return deferred as unknown as Parent;
}
