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
