import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Feed } from '../../contract/feed.ts';
import { eventsHeadersSchema, eventsQuerySchema, type Subscription } from '../../contract/schemas.ts';
import type { Viewer } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Api } from '../http/fastify.types.ts';
import { responses } from '../problems/declared-responses.ts';
import { readSubscription } from './client-frames.ts';
import type { ConnectionGate } from './connections-per-client.ts';
import type { FeedHub } from './feed-hub.ts';
import { encodeForRoles, eventText, type LiveLimits } from './frames.ts';
import type { Sink } from './slow-client.ts';

interface EventsOptions {
  feed: Feed;
  hub: FeedHub;
  gate: ConnectionGate;
  limits: LiveLimits;
}

const reconnectMs = 1000;

const streamed = z.string().meta({
  description:
    'Endless events. Each is a frame of the feed: the event name is its type, the data its JSON. Comments keep the ' +
    'connection alive.',
});

/** `GET /events`: the feed as server-sent events, with one subscription per stream. */
export function eventsRoute(app: Api, { feed, hub, gate, limits }: EventsOptions): void {
  const schema = {
    operationId: 'streamEvents',
    tags: ['onboarding'],
    summary: 'Watch jobs and portfolios as server-sent events',
    description:
      'The frames of `/ws`, see `/asyncapi.json`, for one subscription. After a lost connection an `EventSource` sends ' +
      'the id of the last event and gets the missed ones; `resync` says that they cannot be replayed and the subscription ' +
      'starts again. Needs the token in the header, or a ticket from `POST /tickets` in the query.',
    querystring: eventsQuerySchema,
    headers: eventsHeadersSchema,
    response: responses({ 200: streamed }, [
      'operators_only',
      'portfolio_not_found',
      'cross_origin',
      'too_many_connections',
      'shutting_down',
    ]),
  };
  const config = { tickets: true, stream: true, fresh: true, produces: ['text/event-stream'] };
  app.get('/events', { schema, config, exposeHeadRoute: false }, async (request, reply) => {
    const { viewer, query, headers } = request;
    const { ticket: _, after: first, ...selector } = query;
    const after = headers['last-event-id'] ?? first; // a stream reconnects to its first URL, with an old `after`
    const subscription = await admissible({ id: 'events', ...selector }, viewer, feed);
    if (reply.raw.destroyed) return void reply.hijack(); // disconnected meanwhile: `close` will not be emitted again
    const release = gate.enter(request);
    if (release === null) throw new AppError('too_many_connections', 'You have too many open connections.');
    const session = hub.join({ sink: stream(reply, limits), encode: encodings[viewer.role], viewer });
    reply.raw.on('drain', session.drained);
    reply.raw.once('close', () => {
      session.ended();
      release();
    });
    session.request(
      after === undefined
        ? { type: 'subscribe', subscriptions: [subscription] }
        : { type: 'resume', after, subscriptions: [subscription] },
    );
  });
  app.addHook('preClose', async () => hub.close());
}

/** Refuses with a status, which ends an EventSource: after an error event it would reconnect forever. */
async function admissible(given: Subscription, viewer: Viewer, feed: Feed): Promise<Subscription> {
  const read = readSubscription(given, viewer);
  if ('type' in read) {
    throw new AppError(read.code === 'operators_only' ? 'operators_only' : 'invalid_request', read.message);
  }
  if (read.portfolios === undefined) return read;
  const { subscriptions } = await feed.state([{ id: read.id, portfolios: read.portfolios }], viewer);
  const missing = subscriptions[0]?.missing[0];
  if (missing !== undefined) throw new AppError('portfolio_not_found', `There is no portfolio ${missing}.`);
  return read;
}

/** Takes the response over: from here on it is a stream. */
function stream(reply: FastifyReply, { closeTimeoutMs }: LiveLimits): Sink {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    connection: 'close', // the stream ends at shutdown: do not keep the connection alive after it
    'x-accel-buffering': 'no', // nginx would buffer events
  });
  raw.write(`retry: ${reconnectMs}\n\n`);
  return {
    write(text) {
      if (!raw.writableEnded) raw.write(text);
    },
    get pending() {
      return raw.writableLength;
    },
    close() {
      raw.end();
      // A client that does not read will not see the end either.
      setTimeout(() => raw.destroy(), closeTimeoutMs).unref();
    },
  };
}

const encodings = encodeForRoles((frame) => Buffer.from(eventText(frame)));
