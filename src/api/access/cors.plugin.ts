import cors from '@fastify/cors';
import type { Api } from '../http/fastify.types.ts';

/**
 * Allows pages of these origins to call the API (CORS). They authenticate by token: there are no cookies. Without
 * origins it does nothing, and browsers block every page but our own.
 *
 * Must be loaded before the guards, because a preflight request has no token.
 */
export function allowOrigins(app: Api, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  app.register(cors, {
    origin: async (origin: string | undefined) =>
      origin !== undefined && allowed.has(origin) ? origin : false,
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    allowedHeaders: [
      'authorization',
      'content-type',
      'idempotency-key',
      'if-none-match',
      'prefer',
      'x-request-id',
    ],
    exposedHeaders: [
      'etag',
      'idempotency-replayed',
      'location',
      'preference-applied',
      'ratelimit',
      'ratelimit-policy',
      'retry-after',
      'www-authenticate',
      'x-market-data',
      'x-request-id',
    ],
    maxAge: 600,
    // A preflight without a method gets an empty response instead of an error in plain text.
    strictPreflight: false,
  });
}
