import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Viewer } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';
import {
  accepts,
  allowedMethods,
  charsetOf,
  isReadableCharset,
  type KnownRoute,
} from '../http/content-negotiation.ts';
import type { Api } from '../http/fastify.types.ts';
import { problemType } from '../problems/declared-responses.ts';
import { pathOf } from '../problems/problem.handler.ts';
import { type Authentication, authenticate } from './auth.guards.ts';
import { hostGuard, refuseOrigin } from './origin.guards.ts';

const offered = ['application/json', problemType];

export interface GuardOptions extends Authentication {
  /** Origins of other pages that may call the API. */
  corsOrigins: readonly string[];
}

/**
 * Refuses a request before its body is read: host, origin, token, path, method, representation, encoding, charset.
 *
 * The token is checked before the path, so a client without one does not learn which paths exist.
 * Must be installed before the routes: it collects their methods for `Allow`.
 */
export function guardRequests(app: Api, options: GuardOptions): void {
  const origins = new Set(options.corsOrigins);
  const open = options.tokens.length === 0;
  const refuseHost = hostGuard();
  const routes: KnownRoute[] = [];
  let closing = false;
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ url, methods: [method].flat() });
  });
  app.addHook('preClose', async () => {
    closing = true;
  });
  // Otherwise a keep-alive connection would delay the shutdown until it times out.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) reply.header('connection', 'close');
    done();
  });
  const admit = (request: FastifyRequest, reply: FastifyReply, viewer: Viewer | null) => {
    if (!open) request.viewer = viewer as Viewer;
    options.rates.count(request, reply, viewer);
    // `*` is the route for CORS preflights.
    if (request.route.url === undefined || request.route.url === '*') refuseRoute(request, routes);
    refuseRepresentation(request);
    refuseBodyEncoding(request);
  };
  app.addHook('onRequest', (request, reply, done) => {
    try {
      if (closing) throw new AppError('shutting_down', 'This node is shutting down.');
      if (open) refuseHost(request);
      refuseOrigin(request, origins);
      const viewer = open ? null : authenticate(request, reply, options);
      if (viewer instanceof Promise) {
        viewer.then((known) => admit(request, reply, known)).then(() => done(), done);
        return;
      }
      admit(request, reply, viewer);
    } catch (error) {
      return done(error as Error);
    }
    done();
  });
}

function refuseRoute({ url, method }: FastifyRequest, routes: readonly KnownRoute[]): never {
  const path = pathOf(url);
  const allow = allowedMethods(routes, path);
  if (allow.length === 0) throw new AppError('not_found', `Unknown path ${path}.`);
  throw new AppError(
    'method_not_allowed',
    `Method ${method} is not allowed at ${path}. Allowed: ${allow.join(', ')}.`,
    {
      details: { allow },
    },
  );
}

function refuseRepresentation({ headers, route }: FastifyRequest): void {
  const types = route.produces ?? offered;
  if (headers.upgrade || accepts(headers.accept, types)) return;
  throw new AppError('not_acceptable', `Invalid Accept "${headers.accept}". Available: ${types.join(', ')}.`);
}

function refuseBodyEncoding({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new AppError(
      'unsupported_encoding',
      `Invalid Content-Encoding "${encoding}". Send the body uncompressed.`,
    );
  }
  const type = headers['content-type'];
  if (type === undefined) return;
  const charset = charsetOf(type);
  // The parts of a form are read as bytes, so a charset of the form itself has no meaning.
  if (!type.toLowerCase().startsWith('multipart/') && !isReadableCharset(charset)) {
    throw new AppError('unsupported_charset', `Invalid charset "${charset}". Allowed: utf-8.`);
  }
}
