import type { FastifyReply } from 'fastify';

/** Says that the answer depends on one more header of the request, beside those that were named before. */
export function varyBy(reply: FastifyReply, name: string): void {
  const named = reply.getHeader('vary');
  reply.header('vary', named === undefined ? name : `${[named].flat().join(', ')}, ${name}`);
}
