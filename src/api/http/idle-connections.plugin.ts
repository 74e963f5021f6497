import type { Socket } from 'node:net';
import type { ConnectionLimits } from './connection-limits.ts';
import type { Api } from './fastify.types.ts';

/**
 * Cuts off a client that moves no byte while it is answered, by Node's own timer of its socket.
 *
 * The server's `timeout` would set that timer anew for each request, which costs 2 µs of 45 and helps none that is
 * answered at once. So only the connections that are found busy, every `checkMs`, get one; Node takes it back when their
 * answer has ended. A socket that was upgraded has pings of its own.
 */
export function closeIdleConnections(
  app: Api,
  { idleMs, checkMs }: Pick<ConnectionLimits, 'idleMs' | 'checkMs'>,
): void {
  const open = new Set<Socket>();
  const { server } = app;
  server.setTimeout(0); // Fastify has set it, and keeps it for the further addresses of a name
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('upgrade', (_request, socket) => open.delete(socket as Socket));
  const timer = setInterval(() => {
    // One that waits for its next request has its timer.
    for (const socket of open) if (!socket.timeout) socket.setTimeout(idleMs);
  }, checkMs);
  timer.unref();
  app.addHook('onClose', async () => clearInterval(timer));
}
