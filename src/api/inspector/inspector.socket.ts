import type { FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { watchQuerySchema } from '../../contract/schemas.ts';
import type { Inspection } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';
import { onlyOperators } from '../access/role.guards.ts';
import { closeCodes } from '../feed/frames.ts';
import type { Api } from '../http/fastify.types.ts';
import { responses } from '../openapi/declared-responses.ts';
import { batchWrites } from './batch-writes.ts';

export interface InspectorLimits {
  /** Sockets at once: each message goes to every one of them. */
  viewers: number;
  /** Bytes sent and not yet read at which a viewer counts as too slow. */
  bufferBytes: number;
}

export const inspectorLimits: InspectorLimits = {
  viewers: 10, // operators at their screens
  bufferBytes: 4 * 1024 * 1024, // registrations of 200 jobs are 1 MB, and come at once
};

const opened = z.null().meta({
  description:
    'The connection is a WebSocket from here on: each message is an inspection event of `@statelyai/inspect`, as JSON: ' +
    '`@xstate.actor`, `@xstate.event` or `@xstate.snapshot`.',
});

/** `/ws/inspect`: the live actors of this node, in the protocol of the Stately inspector. */
export function inspectorSocket(app: Api, inspection: Inspection | null, limits = inspectorLimits): void {
  const schema = {
    operationId: 'inspect',
    tags: ['operations'],
    summary: 'Inspect the live actors of this node over a WebSocket',
    description:
      'The protocol of `@statelyai/inspect`, as its `createWebSocketReceiver` reads it: the supervisor and each job are ' +
      'registered with their definition and their present snapshot, parents first, whenever somebody connects; then ' +
      'every event and every snapshot follows. These are live actors: they may be ahead of what is committed, which ' +
      'everything else here shows. Contexts come without secrets. A viewer that does not read is closed with 4429, ' +
      `the ${limits.viewers + 1}th with 4430. Only where the inspector is on: see the setting INSPECTOR.`,
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
      throw new AppError('upgrade_required', 'This address speaks WebSocket only.');
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

/** Says why there is nothing to inspect. */
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
  socket.on('message', () => {}); // read and dropped: the protocol has nothing to say to us
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
    request.log.warn({ err: error }, 'the inspector could not be started');
    socket.close(closeCodes.tryAgainLater, 'the inspector is not available');
  }
}

const closeGraceMs = 1000;

/** It reads nothing, so it would not read the farewell behind all that either: what it has not read is thrown away. */
function drop(socket: WebSocket): void {
  socket.close(closeCodes.tooSlow, 'too slow');
  setTimeout(() => socket.terminate(), closeGraceMs).unref();
}
