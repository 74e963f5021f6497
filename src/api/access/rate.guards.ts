import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Viewer } from '../../contract/service.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { clientOf, type Rate, rateLimiter } from './rate-limit.ts';

/** Requests per minute and client: the name of a token, or else an address. 0 means no limit. */
export interface RateLimits {
  requests: number;
  /** Uploads, onboardings and tickets, which cost more. */
  uploads: number;
  /** Invalid tokens and tickets, per address. */
  failures: number;
}

export const noRateLimits: RateLimits = { requests: 0, uploads: 0, failures: 60 };

export interface RateGuard {
  /** Counts the request; throws `rate_limited` if it exceeds the limit. */
  count(request: FastifyRequest, reply: FastifyReply, viewer: Viewer | null): void;
  /** Throws `rate_limited` if the address has sent too many invalid tokens, even if this one is valid. */
  refuseGuessing(request: FastifyRequest): void;
  /** Counts an invalid token or ticket. */
  countFailure(request: FastifyRequest): void;
}

export function rateGuard(limits: RateLimits, clock: Clock): RateGuard {
  const limiters = {
    requests: rateLimiter(limits.requests),
    uploads: rateLimiter(limits.uploads),
    failures: rateLimiter(limits.failures),
  };
  const policies = {
    requests: `"requests";q=${limits.requests};w=60`,
    uploads: `"uploads";q=${limits.uploads};w=60`,
  };
  return {
    count({ ip, route }, reply, viewer) {
      const policy = route.rate ?? 'requests';
      if (policy === 'unlimited' || limits[policy] === 0) return;
      // No address begins with @, so a token named like an address cannot use up the limit of that address.
      const client = viewer === null ? clientOf(ip) : `@${viewer.name}`;
      const rate = limiters[policy].take(client, clock.now());
      reply.header('ratelimit-policy', policies[policy]);
      reply.header('ratelimit', `"${policy}";r=${rate.remaining};t=${rate.resetSeconds}`);
      if (rate.exceeded) refuse(rate, `More than ${limits[policy]} ${policy} in a minute.`, limits[policy]);
    },
    refuseGuessing({ ip }) {
      if (limits.failures === 0) return;
      const rate = limiters.failures.peek(clientOf(ip), clock.now());
      if (rate.exceeded) refuse(rate, 'Too many invalid tokens from this address.', limits.failures);
    },
    countFailure({ ip }) {
      limiters.failures.take(clientOf(ip), clock.now());
    },
  };
}

function refuse({ resetSeconds }: Rate, message: string, limit: number): never {
  throw new AppError('rate_limited', `${message} Try again in ${resetSeconds} s.`, {
    details: { limit, retry_after_seconds: resetSeconds },
  });
}
