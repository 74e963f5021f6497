import type { FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/errors.ts';
import { isLoopback } from './loopback.ts';

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses foreign host names, against DNS rebinding: a page of evil.example, whose name resolves to 127.0.0.1, would
 * have our origin. Without tokens the service is for this machine only, so only its own names are accepted.
 */
export function hostGuard(): (request: FastifyRequest) => void {
  let last: string | undefined; // accepted; most requests have the host of the one before
  return ({ headers: { host = '' } }) => {
    if (host === last) return;
    if (!usual.test(host) && !isLoopback(nameOf(host))) {
      throw new AppError('foreign_host', `Invalid Host "${host}". Allowed: 127.0.0.1, localhost, [::1].`);
    }
    last = host;
  };
}

const usual = /^(127\.0\.0\.1|localhost)(:\d{1,5})?$/; // saves parsing a URL, 5 µs

const nameOf = (host: string) => (URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : host);

/**
 * Refuses an `Origin` that is neither ours nor `allowed`, against CSRF: browsers let any page post a form to a service
 * on the user's machine, and open a WebSocket or an event stream. With tokens too, so that such a page cannot even try
 * one.
 */
export function refuseOrigin(request: FastifyRequest, allowed: ReadonlySet<string>): void {
  const { origin, upgrade } = request.headers;
  if (origin === undefined) return;
  const { method, host, route } = request;
  const isLongLived = upgrade !== undefined || route.stream;
  if (safeMethods.has(method) && !isLongLived) return;
  if (allowed.has(origin) || (URL.canParse(origin) && new URL(origin).host === host)) return;
  throw new AppError(
    'cross_origin',
    `Pages of ${origin} may not call ${host}. Add the origin to CORS_ORIGINS to allow it.`,
  );
}
