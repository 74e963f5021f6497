import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Tickets, Viewer } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';
import type { RateGuard } from './rate.guards.ts';
import { bearerToken, type Token, viewerOf } from './tokens.ts';

export interface Authentication {
  tokens: readonly Token[];
  tickets: Tickets;
  rates: RateGuard;
}

/**
 * The viewer of a request; null if the route is public. Throws (or rejects with) `unauthenticated`, `rate_limited`.
 * Returns a promise for tickets only: one per request would cost more than the comparison of tokens.
 */
export function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  authentication: Authentication,
): Viewer | null | Promise<Viewer> {
  const { tokens, rates } = authentication;
  const { headers, route, query } = request;
  if (route.public) return null;
  rates.refuseGuessing(request);
  if (headers.authorization !== undefined) {
    const token = bearerToken(headers.authorization);
    const viewer = token === null ? null : viewerOf(token, tokens);
    if (viewer !== null) return viewer;
    rates.countFailure(request);
    throw unauthenticated(reply, 'Invalid token.', true);
  }
  const { ticket } = query as { ticket?: unknown };
  const { tickets: takesTickets, stream } = route;
  if (takesTickets && (stream || headers.upgrade !== undefined) && typeof ticket === 'string') {
    return redeem(ticket, request, reply, authentication);
  }
  rates.count(request, reply, null);
  throw unauthenticated(reply, 'Missing token. Send the header Authorization: Bearer <token>.', false);
}

async function redeem(
  ticket: string,
  request: FastifyRequest,
  reply: FastifyReply,
  { tokens, tickets, rates }: Authentication,
): Promise<Viewer> {
  const viewer = await tickets.redeem(ticket);
  // Revoking a token revokes its tickets.
  if (viewer !== null && tokens.some(({ viewer: known }) => isSame(known, viewer))) return viewer;
  rates.countFailure(request);
  const message = 'Invalid ticket: unknown, used or expired. Get a new one with POST /tickets.';
  throw unauthenticated(reply, message, true);
}

const isSame = (one: Viewer, other: Viewer) => one.name === other.name && one.role === other.role;

/** RFC 6750, 3: a request without a token gets the challenge without an error code. */
function unauthenticated(reply: FastifyReply, message: string, wrong: boolean): AppError {
  const challenge = 'Bearer realm="symbol-onboarding"';
  reply.header('www-authenticate', wrong ? `${challenge}, error="invalid_token"` : challenge);
  return new AppError('unauthenticated', message);
}
