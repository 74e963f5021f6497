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
 * Who asks, or null where anybody may: the route is public. Throws (or rejects with) `unauthenticated`, `rate_limited`.
 * Only a ticket takes a promise: one for each request would cost more than the comparison.
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
    throw unauthenticated(reply, 'The token of this request is none that is accepted here.', true);
  }
  const { ticket } = query as { ticket?: unknown };
  const { tickets: takesTickets, stream } = route;
  if (takesTickets && (stream || headers.upgrade !== undefined) && typeof ticket === 'string') {
    return redeem(ticket, request, reply, authentication);
  }
  rates.count(request, reply, null);
  throw unauthenticated(reply, 'Expected the header Authorization: Bearer <token>, got none.', false);
}

async function redeem(
  ticket: string,
  request: FastifyRequest,
  reply: FastifyReply,
  { tokens, tickets, rates }: Authentication,
): Promise<Viewer> {
  const viewer = await tickets.redeem(ticket);
  // A token that was taken back takes its tickets along.
  if (viewer !== null && tokens.some(({ viewer: known }) => isSame(known, viewer))) return viewer;
  rates.countFailure(request);
  const message = 'The ticket is unknown, spent or too old: POST /tickets makes a new one.';
  throw unauthenticated(reply, message, true);
}

const isSame = (one: Viewer, other: Viewer) => one.name === other.name && one.role === other.role;

/** RFC 6750, 3: whoever showed nothing is told how to, and not that it was wrong. */
function unauthenticated(reply: FastifyReply, message: string, wrong: boolean): AppError {
  const challenge = 'Bearer realm="symbol-onboarding"';
  reply.header('www-authenticate', wrong ? `${challenge}, error="invalid_token"` : challenge);
  return new AppError('unauthenticated', message);
}
