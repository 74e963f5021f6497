/** When a connection is closed. */
export interface ConnectionLimits {
  /** To receive all headers of a request, and the first request after connecting. */
  headersMs: number;
  /** To receive a whole request, also 10 MiB over a slow line. */
  requestMs: number;
  /** Without a byte in either direction: longer than the longest long poll. */
  idleMs: number;
  /** Between two requests: longer than common proxies keep a connection, or they would use a closed one. */
  keepAliveMs: number;
  /** Interval of the checks, so a limit may be exceeded by that much. */
  checkMs: number;
  requestsPerConnection: number;
  /** Further ones are closed at once, without a response. */
  connections: number;
}

export const connectionLimits: ConnectionLimits = {
  headersMs: 15_000,
  requestMs: 60_000,
  idleMs: 120_000,
  keepAliveMs: 75_000,
  checkMs: 5_000,
  requestsPerConnection: 100_000,
  connections: 1000,
};

/** The same as options of Fastify and Node. */
export function connectionOptions(limits: ConnectionLimits) {
  return {
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.idleMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxRequestsPerSocket: limits.requestsPerConnection,
    http: {
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.checkMs,
      // Saves the stream events of an empty body: 3 µs of 45.
      optimizeEmptyRequests: true,
    },
  };
}
