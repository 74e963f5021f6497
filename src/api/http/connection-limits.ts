/** What a client may take up before it is cut off. */
export interface ConnectionLimits {
  /** For the whole head of a request, and for the first one after connecting. */
  headersMs: number;
  /** For a whole request, 10 MiB over a slow line included. */
  requestMs: number;
  /** Without a byte in either direction: longer than any answer is waited for. */
  idleMs: number;
  /** Between two requests on a connection: longer than common proxies keep theirs, or they would use a closed one. */
  keepAliveMs: number;
  /** How often slow clients are looked for: they may take that much longer. */
  checkMs: number;
  requestsPerConnection: number;
  /** More are closed as they come, without an answer. */
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

/** The same in the names that Fastify and Node have for it. */
export function connectionOptions(limits: ConnectionLimits) {
  return {
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.idleMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxRequestsPerSocket: limits.requestsPerConnection,
    http: {
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.checkMs,
      // A request without a body needs no stream that ends: its events cost 3 µs of 45.
      optimizeEmptyRequests: true,
    },
  };
}
