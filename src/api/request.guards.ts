import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import type { Api } from './fastify.types.ts';
import { isLoopback } from './loopback.ts';
import { accepts, allowedMethods, charsetOf, isReadableCharset, type KnownRoute } from './negotiation.ts';
import { pathOf } from './problem.handler.ts';
import { problemType } from './responses.ts';

const offered = ['application/json', problemType];
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses a request before its body is read: unknown path, method, origin, representation, encoding, charset.
 *
 * Must be installed before the routes, whose methods it learns for `Allow`.
 */
export function guardRequests(app: Api): void {
  const routes: KnownRoute[] = [];
  let closing = false;
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ url, methods: [method].flat() });
  });
  app.addHook('preClose', async () => {
    closing = true;
  });
  // Otherwise the connection that a client keeps would hold up the stop, jobs and all, until it times out.
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
  app.addHook('onRequest', async (request) => {
    if (closing) throw new AppError('shutting_down', 'This node is shutting down.');
    refuseHost(request);
    if (request.is404) refuseRoute(request, routes);
    refuseOrigin(request);
    refuseRepresentation(request);
    refuseBodyEncoding(request);
  });
}

function refuseRoute({ url, method }: FastifyRequest, routes: readonly KnownRoute[]): never {
  const path = pathOf(url);
  const allow = allowedMethods(routes, path);
  if (allow.length === 0) throw new AppError('not_found', `There is nothing at ${path}.`);
  throw new AppError('method_not_allowed', `${path} takes ${allow.join(', ')}, got: ${method}`, {
    details: { allow },
  });
}

/**
 * A name that a stranger's server answers with this machine's address would make its pages ours, origin and all.
 * Without tokens the service is for this machine alone, so it must be called by this machine's names.
 */
function refuseHost({ headers: { host = '' } }: FastifyRequest): void {
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : host;
  if (isLoopback(name)) return;
  throw new AppError('foreign_host', `Expected 127.0.0.1, localhost or [::1] as host, got: ${host}`);
}

/**
 * A browser lets any page post a form to a service on the user's own machine, and open a socket to it. Without
 * tokens nothing else would stop such a page, so an `Origin` that is not ours is refused.
 */
function refuseOrigin({ headers, method }: FastifyRequest): void {
  const { origin, host } = headers;
  if (origin === undefined || (safeMethods.has(method) && !headers.upgrade)) return;
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    throw new AppError('cross_origin', `Expected a page of ${host}, got one of: ${origin}`);
  }
}

function refuseRepresentation({ headers, routeOptions }: FastifyRequest): void {
  const types = routeOptions.config.produces ?? offered;
  if (headers.upgrade || accepts(headers.accept, types)) return;
  throw new AppError('not_acceptable', `The answer is ${types[0]}, the request accepts: ${headers.accept}`);
}

function refuseBodyEncoding({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new AppError('unsupported_encoding', `Expected an uncompressed body, got: ${encoding}`);
  }
  const type = headers['content-type'];
  const charset = charsetOf(type);
  // The parts of a form are read as bytes; a charset on the envelope has no meaning.
  if (!type?.toLowerCase().startsWith('multipart/') && !isReadableCharset(charset)) {
    throw new AppError('unsupported_charset', `Expected UTF-8, got: ${charset}`);
  }
}
