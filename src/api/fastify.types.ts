import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Viewer } from './service.ts';

/** A Fastify instance whose routes are typed by their zod schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The media types of the answer, where it is not JSON. Problems are JSON all the same. */
    produces?: string[];
    /** Nobody has to say who they are. */
    public?: boolean;
  }
  interface FastifyRequest {
    /** Who asks: the local user, until tokens say otherwise. */
    viewer: Viewer;
  }
}
