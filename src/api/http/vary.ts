import type { FastifyReply } from 'fastify';

/** Adds a request header to `Vary`. */
export function varyBy(reply: FastifyReply, name: string): void {
  const named = reply.getHeader('vary');
  reply.header('vary', named === undefined ? name : `${[named].flat().join(', ')}, ${name}`);
}
