import websocket, { type WebsocketPluginOptions } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Api } from './fastify.types.ts';
import {
  closeCodes,
  errorFrame,
  type Hello,
  helloFrame,
  type LiveLimits,
  subprotocol,
  transitionFrame,
} from './frames.ts';
import { clientOf } from './rate-limit.ts';
import { responses } from './responses.ts';
import { type TransitionView, watchQuerySchema } from './schemas.ts';
import { type Feed, localViewer } from './service.ts';

export interface LiveOptions {
  clock: Clock;
  marketData: Hello['marketData'];
  limits: LiveLimits;
}

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

/** `/ws`: a hello frame, then each committed transition, in order, none twice, none missing. */
export function liveSocket(app: Api, feed: Feed, options: LiveOptions): void {
  const schema = {
    operationId: 'watch',
    tags: ['onboarding'],
    summary: 'Watch transitions over a WebSocket',
    description:
      'Subprotocol `onboarding.v1+json`. The first frame is `hello` with the position from which on every ' +
      'committed transition follows. A client that does not read is closed with code 4429, one with ' +
      'more than 20 sockets with 4430. Needs the token in the ' +
      'header, or a ticket from `POST /tickets` in the query.',
    querystring: watchQuerySchema,
    response: responses({ 101: opened }, ['upgrade_required', 'cross_origin']),
  };
  const admit = socketGate(options.limits);
  const stopPings = keepAlive(app, options.limits.pingIntervalMs);
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
      if (admit(socket, request)) return watch({ socket, request, feed, options });
    },
  });
}

/** Closes a socket that is one too many, for its client or for all. A browser's page sees a close code, no status. */
function socketGate({ socketsPerClient, sockets }: LiveLimits) {
  const open = new Map<string, number>();
  let total = 0;
  return (socket: WebSocket, { viewer, ip }: FastifyRequest): boolean => {
    const client = viewer === localViewer ? clientOf(ip) : `@${viewer.name}`;
    const own = open.get(client) ?? 0;
    if (own >= socketsPerClient || total >= sockets) {
      socket.close(closeCodes.tooMany, 'too many sockets');
      return false;
    }
    open.set(client, own + 1);
    total += 1;
    socket.once('close', () => {
      total -= 1;
      const left = open.get(client)! - 1;
      if (left > 0) open.set(client, left);
      else open.delete(client);
    });
    return true;
  };
}

interface Watch {
  socket: WebSocket;
  request: FastifyRequest;
  feed: Feed;
  options: LiveOptions;
}

async function watch({ socket, request, feed, options }: Watch): Promise<void> {
  const { clock, marketData, limits } = options;
  const send = (frame: string) => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > limits.bufferBytes) socket.close(closeCodes.tooSlow, 'too slow');
    else socket.send(frame);
  };
  socket.on('message', () => {
    send(errorFrame('unsupported_message', 'This version of the feed takes no messages from clients.'));
  });
  // Transitions may be committed between the subscription and its answer; hello goes first all the same.
  let early: TransitionView[] | null = [];
  const listener = (transition: TransitionView) => {
    if (early) early.push(transition);
    else send(transitionFrame(transition));
  };
  try {
    const subscription = await feed.subscribe(listener, request.viewer);
    socket.once('close', () => subscription.close());
    if (socket.readyState !== socket.OPEN) return subscription.close();
    send(helloFrame({ position: subscription.position, now: clock.now(), marketData, limits }));
    for (const transition of early) send(transitionFrame(transition));
    early = null;
  } catch (error) {
    request.log.warn({ err: error }, 'feed refused a subscription');
    socket.close(closeCodes.tryAgainLater, 'the feed is not available');
  }
}

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
