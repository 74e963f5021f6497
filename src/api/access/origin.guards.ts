import type { FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/errors.ts';
import { isLoopback } from './loopback.ts';

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A name that a stranger's server answers with this machine's address would make its pages ours, origin and all.
 * Without tokens the service is for this machine alone, so it must be called by this machine's names.
 */
export function hostGuard(): (request: FastifyRequest) => void {
  let last: string | undefined; // accepted: most requests name the host that the one before them did
  return ({ headers: { host = '' } }) => {
    if (host === last) return;
    if (!usual.test(host) && !isLoopback(nameOf(host))) {
      throw new AppError('foreign_host', `Expected 127.0.0.1, localhost or [::1] as host, got: ${host}`);
    }
    last = host;
  };
}

const usual = /^(127\.0\.0\.1|localhost)(:\d{1,5})?$/; // parsing a URL costs 5 µs

const nameOf = (host: string) => (URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : host);

/**
 * A browser lets any page post a form to a service on the user's own machine, and hold a socket or a stream to it open. Without
 * tokens nothing else would stop such a page, so an `Origin` that is neither ours nor `allowed` is refused; with
 * tokens too, because a page that has no business here should not get as far as trying one.
 */
export function refuseOrigin(request: FastifyRequest, allowed: ReadonlySet<string>): void {
  const { origin, upgrade } = request.headers;
  if (origin === undefined) return;
  const { method, host, route } = request;
  const stays = upgrade !== undefined || route.stream;
  if (safeMethods.has(method) && !stays) return;
  if (allowed.has(origin) || (URL.canParse(origin) && new URL(origin).host === host)) return;
  throw new AppError('cross_origin', `Expected a page of ${host}, got one of: ${origin}`);
}
