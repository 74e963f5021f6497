import websocket, { type WebsocketPluginOptions } from '@fastify/websocket';
import type { WebSocket } from 'ws';
import * as ws from 'ws';
import { z } from 'zod';
import { watchQuerySchema } from '../../contract/schemas.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Api } from '../http/fastify.types.ts';
import { responses } from '../problems/declared-responses.ts';
import type { ConnectionGate } from './connections-per-client.ts';
import type { FeedHub } from './feed-hub.ts';
import { closeCodes, encodeForRoles, type LiveLimits, subprotocol } from './frames.ts';
import type { Sink } from './slow-client.ts';

/** Lets routes be upgraded to a WebSocket, those that are declared after it has been loaded. */
export function acceptSockets(app: Api, limits: LiveLimits): void {
  const options: WebsocketPluginOptions['options'] & { closeTimeout: number } = {
    maxPayload: limits.frameBytes,
    closeTimeout: limits.closeTimeoutMs, // not in ws's types yet
    // A client that names no subprotocol is served too; one that only knows others is not.
    handleProtocols: (offered) => offered.has(subprotocol) && subprotocol,
  };
  app.register(websocket, {
    options,
    async preClose() {
      for (const client of app.websocketServer.clients) client.close(closeCodes.goingAway, 'shutting down');
      app.websocketServer.close();
    },
  });
}

const opened = z.null().meta({
  description: 'The connection is a WebSocket from here on: each message is a frame of the feed, as JSON.',
});

interface SocketOptions {
  hub: FeedHub;
  gate: ConnectionGate;
  limits: LiveLimits;
}

/** `/ws`: the feed, as each client asks for it. */
export function liveSocket(app: Api, { hub, gate, limits }: SocketOptions): void {
  const schema = {
    operationId: 'watch',
    tags: ['onboarding'],
    summary: 'Watch jobs and portfolios over a WebSocket',
    description:
      'Subprotocol `onboarding.v1+json`; `/asyncapi.json` describes every frame. After `hello` the client subscribes ' +
      'to symbols, portfolios, jobs, statuses or, as an operator, everything, or resumes after a position; it gets ' +
      'the state that things are in, and then every transition. A client that does not read is closed with code ' +
      '4429, one that subscribes to nothing with 4408, one with more than 20 connections with 4430. Needs the token ' +
      'in the header, or a ticket from `POST /tickets` in the query.',
    querystring: watchQuerySchema,
    response: responses({ 101: opened }, ['upgrade_required', 'cross_origin']),
  };
  const stopPings = keepAlive(app, limits.pingIntervalMs);
  app.addHook('onClose', async () => stopPings());
  app.route({
    method: 'GET',
    url: '/ws',
    schema,
    config: { tickets: true },
    handler: async () => {
      throw new AppError('upgrade_required', 'This address speaks WebSocket only.');
    },
    wsHandler: (socket, request) => {
      const leave = gate.enter(request);
      // A browser's page sees a close code, and no status.
      if (leave === null) return socket.close(closeCodes.tooMany, 'too many connections');
      const wire = request.raw.socket;
      const sink: Sink = {
        write(frame) {
          if (socket.readyState === socket.OPEN) wire.write(frame);
        },
        get pending() {
          return wire.writableLength;
        },
        close: (code, reason) => socket.close(code, reason),
      };
      const { viewer } = request;
      const session = hub.join({ sink, encode: encodings[viewer.role], viewer });
      wire.on('drain', session.drained);
      socket.on('error', () => {}); // what was wrong with its frames it is told by a close code
      socket.on('message', (data, isBinary) => session.receive(isBinary ? null : String(data)));
      socket.once('close', () => {
        wire.off('drain', session.drained);
        session.ended();
        leave();
      });
    },
  });
}

const { Sender } = ws as unknown as {
  Sender: {
    frame(data: Buffer, options: { fin: boolean; opcode: number; mask: boolean; rsv1: boolean }): Buffer[];
  };
};

/**
 * A message as it goes over the wire, the same for each client of a role: what a server sends is not masked, and
 * nothing here is compressed. Written to the sockets as it is, past `send`, which would frame it for each of them anew.
 */
const encodings = encodeForRoles((frame) => {
  const data = Buffer.from(JSON.stringify(frame));
  return Buffer.concat(Sender.frame(data, { fin: true, opcode: 1, mask: false, rsv1: false }));
});

/** Pings every client; one that has not answered since the last ping is gone, whatever its TCP says. */
function keepAlive(app: Api, intervalMs: number): () => void {
  const answered = new WeakSet<WebSocket>();
  const seen = new WeakSet<WebSocket>();
  const timer = setInterval(() => {
    for (const client of app.websocketServer.clients) {
      if (!seen.has(client)) client.on('pong', () => answered.add(client));
      else if (!answered.delete(client)) client.terminate();
      seen.add(client);
      client.ping();
    }
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
