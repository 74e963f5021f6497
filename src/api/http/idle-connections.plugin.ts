import type { Socket } from 'node:net';
import type { ConnectionLimits } from './connection-limits.ts';
import type { Api } from './fastify.types.ts';

/**
 * Closes connections on which no byte moves during a response, by the idle timeout of Node's sockets.
 *
 * The server's `timeout` would reset that timer for each request, which costs 2 of 45 µs and is useless for a fast
 * response. So only connections that are busy at a check, every `checkMs`, get a timeout; Node removes it after the
 * response. Upgraded sockets are excluded: they have pings.
 */
export function closeIdleConnections(
  app: Api,
  { idleMs, checkMs }: Pick<ConnectionLimits, 'idleMs' | 'checkMs'>,
): void {
  const open = new Set<Socket>();
  const { server } = app;
  server.setTimeout(0); // set by Fastify, which still needs it for further addresses of a host name
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('upgrade', (_request, socket) => open.delete(socket as Socket));
  const timer = setInterval(() => {
    // A connection between two requests already has the keep-alive timeout.
    for (const socket of open) if (!socket.timeout) socket.setTimeout(idleMs);
  }, checkMs);
  timer.unref();
  app.addHook('onClose', async () => clearInterval(timer));
}
