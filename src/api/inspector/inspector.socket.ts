import type { FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { watchQuerySchema } from '../../contract/schemas.ts';
import type { Inspection } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';
import { onlyOperators } from '../access/role.guards.ts';
import { closeCodes } from '../feed/frames.ts';
import type { Api } from '../http/fastify.types.ts';
import { responses } from '../problems/declared-responses.ts';
import { batchWrites } from './batch-writes.ts';

export interface InspectorLimits {
  /** Open WebSockets: each message goes to every one of them. */
  viewers: number;
  /** Unread bytes above which a viewer counts as too slow. */
  bufferBytes: number;
}

export const inspectorLimits: InspectorLimits = {
  viewers: 10, // operators at their screens
  bufferBytes: 4 * 1024 * 1024, // registrations of 200 jobs are 1 MB, sent at once
};

const opened = z.null().meta({
  description:
    'The connection is a WebSocket now: each message is an inspection event of `@statelyai/inspect` as JSON: ' +
    '`@xstate.actor`, `@xstate.event` or `@xstate.snapshot`.',
});

/** `/ws/inspect`: the live actors of this node, in the protocol of the Stately inspector. */
export function inspectorSocket(app: Api, inspection: Inspection | null, limits = inspectorLimits): void {
  const schema = {
    operationId: 'inspect',
    tags: ['operations'],
    summary: 'Inspect the live actors of this node over a WebSocket',
    description:
      'The protocol of `createWebSocketReceiver` in `@statelyai/inspect`. On connect the supervisor and each job are ' +
      'registered with their definition and present snapshot, parents first; then every event and snapshot follows. ' +
      'These are live actors: they may be ahead of the committed state, which all other operations show. Contexts have ' +
      'no secrets. Close codes: 4429 for a viewer that reads too slowly, 4430 above ' +
      `${limits.viewers} viewers. Requires the setting INSPECTOR.`,
    querystring: watchQuerySchema,
    response: responses({ 101: opened }, [
      'upgrade_required',
      'cross_origin',
      'operators_only',
      'inspector_disabled',
    ]),
  };
  let viewers = 0;
  app.route({
    method: 'GET',
    url: '/ws/inspect',
    schema,
    config: { tickets: true },
    onRequest: [onlyOperators, refuseWithout(inspection)],
    handler: async () => {
      throw new AppError('upgrade_required', 'This address supports WebSocket only.');
    },
    wsHandler: (socket, request) => {
      if (viewers >= limits.viewers) return socket.close(closeCodes.tooMany, 'too many viewers');
      viewers += 1;
      socket.once('close', () => {
        viewers -= 1;
      });
      return watch(socket, request, { inspection: inspection!, limits });
    },
  });
}

/** Refuses requests while the inspector is off. */
export function refuseWithout(inspection: Inspection | null) {
  return async () => {
    if (inspection) return;
    throw new AppError('inspector_disabled', 'The inspector is off on this node.');
  };
}

async function watch(
  socket: WebSocket,
  request: FastifyRequest,
  { inspection, limits }: { inspection: Inspection; limits: InspectorLimits },
): Promise<void> {
  socket.on('message', () => {}); // the protocol has no messages of the client: read and dropped
  let stop = () => {};
  const send = (message: string) => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount <= limits.bufferBytes) {
      batchWrites(request.raw.socket);
      return socket.send(message);
    }
    stop();
    drop(socket);
  };
  try {
    stop = await inspection.watch(send);
    socket.once('close', stop);
    if (socket.readyState !== socket.OPEN) stop();
  } catch (error) {
    request.log.warn({ err: error }, 'starting the inspector failed');
    socket.close(closeCodes.tryAgainLater, 'the inspector is unavailable');
  }
}

const closeGraceMs = 1000;

/** Closes a viewer that does not read. It may never see the close frame behind all unread bytes, so it is terminated. */
function drop(socket: WebSocket): void {
  socket.close(closeCodes.tooSlow, 'too slow');
  setTimeout(() => socket.terminate(), closeGraceMs).unref();
}
