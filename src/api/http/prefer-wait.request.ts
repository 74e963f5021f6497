import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Wait, Waiters } from './long-polling.ts';
import { waitPreferred, waitSecondsMax } from './prefer-wait.ts';
import { varyBy } from './vary.ts';

/** For the `config.headers` of a route: documented, never refused. */
export const preferHeaders = z.object({
  prefer: z
    .string()
    .optional()
    .meta({
      description:
        `\`wait=N\` (RFC 7240): hold the response until it is settled, for at most N seconds and never longer than ` +
        `${waitSecondsMax}. \`Preference-Applied\` has the limit that was used.`,
    }),
});

/** Reads a view. With `Prefer: wait` it resolves when the view is settled or the time is over. */
export async function whenSettled<View>(
  request: FastifyRequest,
  reply: FastifyReply,
  waiters: Waiters,
  { read, pendingSymbols }: Pick<Wait<View>, 'read' | 'pendingSymbols'>,
): Promise<View> {
  const seconds = preferred(request, reply);
  if (seconds === null) return read();
  const disconnect = new AbortController();
  // Of the response: the request emits `close` as soon as it has been read.
  const onClose = () => disconnect.abort();
  reply.raw.once('close', onClose);
  const { view, held } = await waiters.hold({
    seconds,
    read,
    pendingSymbols,
    disconnected: disconnect.signal,
  });
  reply.raw.off('close', onClose);
  if (held) applied(reply, seconds);
  return view;
}

/** For a response that is already settled: sets the header without waiting. */
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
