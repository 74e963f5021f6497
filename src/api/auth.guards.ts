import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import type { Tickets, Viewer } from './service.ts';
import { bearerToken, type Token, viewerOf } from './tokens.ts';

export interface Authentication {
  tokens: readonly Token[];
  tickets: Tickets;
}

/** Who asks, or null where anybody may: the route is public. Throws `unauthenticated`. */
export async function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  { tokens, tickets }: Authentication,
): Promise<Viewer | null> {
  const { headers, routeOptions, query } = request;
  if (routeOptions.config.public) return null;
  if (headers.authorization !== undefined) {
    const token = bearerToken(headers.authorization);
    const viewer = token === null ? null : viewerOf(token, tokens);
    return viewer ?? refuse(reply, 'The token of this request is none that is accepted here.', true);
  }
  const { ticket } = query as { ticket?: unknown };
  if (routeOptions.config.tickets && headers.upgrade !== undefined && typeof ticket === 'string') {
    const viewer = await tickets.redeem(ticket);
    // A token that was taken back takes its tickets along.
    if (viewer !== null && tokens.some(({ viewer: known }) => isSame(known, viewer))) return viewer;
    return refuse(reply, 'The ticket is unknown, spent or too old: POST /tickets makes a new one.', true);
  }
  return refuse(reply, 'Expected the header Authorization: Bearer <token>, got none.', false);
}

const isSame = (one: Viewer, other: Viewer) => one.name === other.name && one.role === other.role;

/** RFC 6750, 3: whoever showed nothing is told how to, and not that it was wrong. */
function refuse(reply: FastifyReply, message: string, wrong: boolean): never {
  const challenge = 'Bearer realm="symbol-onboarding"';
  reply.header('www-authenticate', wrong ? `${challenge}, error="invalid_token"` : challenge);
  throw new AppError('unauthenticated', message);
}
