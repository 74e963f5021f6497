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
    /** The media types of the response, if it is not JSON. Problems are always JSON. */
    produces?: string[];
    /** Not cacheable: no ETag, no 304. */
    fresh?: boolean;
    /** Request headers that the route reads and never refuses: for the API reference. */
    headers?: ZodObject;
    /** Needs no token. Routes without it need one, so a forgotten flag cannot expose a route. */
    public?: boolean;
    /** The response is an endless stream. */
    stream?: boolean;
    /** Accepts a ticket in the query instead of a token: an upgrade or a stream. */
    tickets?: boolean;
    /** The rate limit that a request counts against; `requests` by default. */
    rate?: 'uploads' | 'unlimited';
    /** The Content-Security-Policy of a page, instead of the default that allows nothing. */
    csp?: string;
  }
  interface FastifyRequest {
    /** Name and role of the token, or the local user if there are no tokens. Null on public routes. */
    viewer: Viewer;
    /** `routeOptions.config`, read once: each access creates an object of thirteen properties. */
    route: FastifyContextConfig & { url?: string };
  }
}
