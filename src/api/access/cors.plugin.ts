import cors from '@fastify/cors';
import type { Api } from '../http/fastify.types.ts';

/**
 * Lets pages of these origins call, by the token that they send: there are no cookies. Without origins it does nothing,
 * and a browser refuses every page but our own.
 *
 * Must be loaded before the guards: a browser asks first, and without a token.
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
    // A browser names the method that it asks for; whoever does not gets an empty answer, not one in plain text.
    strictPreflight: false,
  });
}
