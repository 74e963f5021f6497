import type { z } from 'zod';
import { clientFrameSchema, frameSchema } from '../../contract/schemas.ts';
import { closeCodes } from '../feed/frames.ts';
import { schemaCollector } from './schema-collector.ts';

/** The purpose of each frame, in one line. */
const summaries: Record<string, string> = {
  subscribe: 'Begins subscriptions.',
  resume: 'Begins subscriptions after a position; only as the first frame of a connection.',
  unsubscribe: 'Ends subscriptions.',
  hello: 'The first frame of a connection.',
  subscribed: 'A subscription begins: its state follows.',
  portfolio: 'The state of a portfolio when a subscription begins.',
  actor: 'The state of a job when a subscription begins.',
  live: 'The state is complete: from here on every entry follows.',
  resumed: 'The missed entries follow.',
  resync: 'The missed entries cannot be replayed: subscriptions start again.',
  transition: 'A job has changed its state.',
  'snapshot.updated': 'The totals of a portfolio have changed.',
  unsubscribed: 'Subscriptions have ended.',
  position: 'Every entry up to this position was sent.',
  coalesced: 'The client is too slow: only the latest entry of each job and portfolio follows.',
  error: 'A frame or a subscription was refused.',
};

const overSocketOnly = new Set(['unsubscribed', 'error', 'position']);

const introduction = `
Committed transitions of jobs and changes of the totals of portfolios, the same on every node.

- \`/ws\` is a WebSocket with the subprotocol \`onboarding.v1+json\`. \`/events\` has the same frames as server-sent events,
  with one subscription in its query.
- A client subscribes and gets the state at one position of the feed: \`subscribed\`, then \`portfolio\` and \`actor\` frames,
  then \`live\`. After that it gets every entry exactly once, in the order of the positions. \`sequence\` numbers the
  transitions of a job without gaps.
- After a lost connection, \`resume\` (or \`Last-Event-ID\`) has the highest \`position\` of the received \`live\`,
  \`transition\`, \`snapshot.updated\` and \`position\` frames. The missed entries are replayed, or \`resync\` says why they
  cannot be.
- Ignore unknown fields and types of frames: new ones may be added.
`.trim();

interface FeedDescription {
  /** One frame of each type. */
  examples: Readonly<Record<string, object>>;
  version: string;
  /** Whether the service asks for tokens. */
  protected: boolean;
}

/** The AsyncAPI 3 document of the feed, generated from the schemas of its frames. */
export function describeFeed({ examples, version, protected: needsToken }: FeedDescription) {
  const schemas = schemaCollector();
  const fromClient = messagesOf(clientFrameSchema, examples, schemas.input);
  const fromService = messagesOf(frameSchema, examples, schemas.output);
  const streamed = Object.fromEntries(
    Object.entries(fromService).filter(([name]) => !overSocketOnly.has(name)),
  );
  const security = { security: needsToken ? [{ $ref: '#/components/securitySchemes/bearer' }] : [] };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Symbol onboarding: the feed',
      version,
      description: introduction,
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    defaultContentType: 'application/json',
    servers: {
      socket: { host: '127.0.0.1:3000', protocol: 'ws' },
      stream: { host: '127.0.0.1:3000', protocol: 'http' },
    },
    channels: {
      socket: {
        address: '/ws',
        title: 'WebSocket',
        description: `Subprotocol \`onboarding.v1+json\`. Close codes: ${closings}.`,
        servers: [{ $ref: '#/servers/socket' }],
        messages: refs({ ...fromClient, ...fromService }),
      },
      stream: {
        address: '/events',
        title: 'Server-sent events',
        description: 'The event name is the type of the frame. `/openapi.json` describes the query.',
        servers: [{ $ref: '#/servers/stream' }],
        messages: refs(streamed),
      },
    },
    operations: {
      ask: { ...operation('receive', 'socket', 'Frames that a client may send.', fromClient), ...security },
      tell: { ...operation('send', 'socket', 'Frames that a client receives.', fromService), ...security },
      stream: {
        ...operation('send', 'stream', 'Frames that a reader of the stream receives.', streamed),
        ...security,
      },
    },
    components: {
      messages: Object.fromEntries(
        Object.entries({ ...fromClient, ...fromService }).map(([name, message]) => [keyOf(name), message]),
      ),
      schemas: schemas.components(),
      ...(needsToken && { securitySchemes }),
    },
  };
}

const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'A token, or a ticket in the query: `POST /tickets`.',
  },
};

const meanings: Record<keyof typeof closeCodes, string> = {
  goingAway: 'the service is shutting down',
  refused: 'too many requests or invalid frames',
  tryAgainLater: 'the feed is unavailable',
  idle: 'no subscription',
  tooSlow: 'too slow',
  tooMany: 'too many connections',
};
const closings = Object.entries(closeCodes)
  .map(([name, code]) => `${code} ${meanings[name as keyof typeof closeCodes]}`)
  .join(', ');

type Messages = Record<string, object>;

function messagesOf(
  union: z.ZodDiscriminatedUnion,
  examples: Readonly<Record<string, object>>,
  convert: (schema: z.ZodType) => object,
): Messages {
  return Object.fromEntries(
    (union.options as z.ZodObject[]).map((schema) => {
      const [name] = (schema.shape.type as z.ZodLiteral<string>).values;
      if (!summaries[name!])
        throw new Error(`${name} has no summary: add one in src/api/openapi/asyncapi.ts`);
      const message = {
        name,
        summary: summaries[name!],
        payload: convert(schema),
        examples: [{ payload: examples[name!] }],
      };
      return [name!, message];
    }),
  );
}

/** A valid component name: `snapshot.updated` becomes `snapshot_updated`. */
const keyOf = (name: string) => name.replace('.', '_');

const refs = (messages: Messages) =>
  Object.fromEntries(
    Object.keys(messages).map((name) => [keyOf(name), { $ref: `#/components/messages/${keyOf(name)}` }]),
  );

const operation = (action: 'send' | 'receive', channel: string, summary: string, messages: Messages) => ({
  action,
  summary,
  channel: { $ref: `#/channels/${channel}` },
  messages: Object.keys(messages).map((name) => ({ $ref: `#/channels/${channel}/messages/${keyOf(name)}` })),
});
