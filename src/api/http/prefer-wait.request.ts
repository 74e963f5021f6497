import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Wait, Waiters } from './long-polling.ts';
import { waitPreferred, waitSecondsMax } from './prefer-wait.ts';
import { varyBy } from './vary.ts';

/** For a route's `config.headers`: the reference tells about it, and nobody is refused for it. */
export const preferHeaders = z.object({
  prefer: z
    .string()
    .optional()
    .meta({
      description:
        `\`wait=N\` (RFC 7240): hold the answer until it is settled, at most N seconds and never longer than ` +
        `${waitSecondsMax}. \`Preference-Applied\` says for how long it would have been held.`,
    }),
});

/** Reads a view, and where the request prefers to wait, not before the view is settled or the time is over. */
export async function whenSettled<View>(
  request: FastifyRequest,
  reply: FastifyReply,
  waiters: Waiters,
  { read, pendingSymbols }: Pick<Wait<View>, 'read' | 'pendingSymbols'>,
): Promise<View> {
  const seconds = preferred(request, reply);
  if (seconds === null) return read();
  const disconnected = new AbortController();
  // The response's own event: the request's comes as soon as it has been read.
  const onClose = () => disconnected.abort();
  reply.raw.once('close', onClose);
  const { view, held } = await waiters.hold({
    seconds,
    read,
    pendingSymbols,
    disconnected: disconnected.signal,
  });
  reply.raw.off('close', onClose);
  if (held) applied(reply, seconds);
  return view;
}

/** For an answer that is settled already: nobody has to wait for it. */
export function settledAlready(request: FastifyRequest, reply: FastifyReply): void {
  const seconds = preferred(request, reply);
  if (seconds !== null) applied(reply, seconds);
}

function preferred(request: FastifyRequest, reply: FastifyReply): number | null {
  varyBy(reply, 'Prefer');
  return waitPreferred(request.headers.prefer);
}

const applied = (reply: FastifyReply, seconds: number) =>
  reply.header('preference-applied', `wait=${seconds}`);
