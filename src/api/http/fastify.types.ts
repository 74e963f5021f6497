import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { ZodObject } from 'zod';
import type { Viewer } from '../../contract/service.ts';

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
    /** Each answer is news: nobody keeps it or asks whether it still holds. */
    fresh?: boolean;
    /** Request headers that the route reads without refusing any: for the reference. */
    headers?: ZodObject;
    /** Needs no token, whoever asks. Without it a route is closed: one that was forgotten is not open. */
    public?: boolean;
    /** Its answer goes on for as long as it is read. */
    stream?: boolean;
    /** Takes a ticket in its query in place of a token: an upgrade or a stream. */
    tickets?: boolean;
    /** Which limit a request counts against: `requests` where nothing is said. */
    rate?: 'uploads' | 'unlimited';
    /** The Content-Security-Policy of a page, in place of the one that allows nothing. */
    csp?: string;
  }
  interface FastifyRequest {
    /** Who asks: the token's name and role, the local user without tokens. Null where the route is public. */
    viewer: Viewer;
    /** `routeOptions.config`, read once: each reading of it makes an object of thirteen properties. */
    route: FastifyContextConfig & { url?: string };
  }
}
