import type { z } from 'zod';
import { clientFrameSchema, frameSchema } from '../../contract/schemas.ts';
import { closeCodes } from '../feed/frames.ts';
import { schemaCollector } from './schema-collector.ts';

/** What each frame is for, in one line. */
const summaries: Record<string, string> = {
  subscribe: 'Begins subscriptions.',
  resume: 'Begins subscriptions with what was missed after a position; first of a connection only.',
  unsubscribe: 'Ends subscriptions.',
  hello: 'The first frame of a connection.',
  subscribed: 'A subscription begins: its state follows.',
  portfolio: 'A portfolio as it is when it is subscribed to.',
  actor: 'A job as it is when it is subscribed to.',
  live: 'The state is complete: from here on every entry follows.',
  resumed: 'What was missed follows.',
  resync: 'What was missed cannot be told: everything begins anew.',
  transition: 'A job has changed its state.',
  'snapshot.updated': 'The totals of a portfolio have changed.',
  unsubscribed: 'Subscriptions have ended.',
  position: 'Everything up to there was sent.',
  coalesced: 'The client is too slow: only the latest of each job and portfolio follows.',
  error: 'A frame or a subscription was refused.',
};

const overSocketOnly = new Set(['unsubscribed', 'error', 'position']);

const introduction = `
What happens to jobs and to the totals of portfolios, as it is committed, on every node alike.

- \`/ws\` is a WebSocket with the subprotocol \`onboarding.v1+json\`; \`/events\` the same as server-sent events, with one
  subscription, which its query names.
- A client subscribes and is sent the state of what it named at one position of the feed: \`subscribed\`, then
  \`portfolio\` and \`actor\` frames, then \`live\`. From there on each entry comes in the order of the positions, none twice,
  none missing. \`sequence\` counts the transitions of a job, without a gap.
- After a lost connection \`resume\` (or \`Last-Event-ID\`) names the highest \`position\` of the \`live\`,
  \`transition\`, \`snapshot.updated\` and \`position\` frames that came; what was missed is replayed,
  or \`resync\` says why it cannot be.
- Frames may gain fields, and new types may come: ignore what you do not know.
`.trim();

interface FeedDescription {
  /** One frame of each type. */
  examples: Readonly<Record<string, object>>;
  version: string;
  /** Whether the service asks for tokens. */
  protected: boolean;
}

/** The AsyncAPI 3 document of the feed, made from the schemas that its frames are held to. */
export function describeFeed({ examples, version, protected: asksForTokens }: FeedDescription) {
  const schemas = schemaCollector();
  const fromClient = messagesOf(clientFrameSchema, examples, schemas.input);
  const fromService = messagesOf(frameSchema, examples, schemas.output);
  const streamed = Object.fromEntries(
    Object.entries(fromService).filter(([name]) => !overSocketOnly.has(name)),
  );
  const security = { security: asksForTokens ? [{ $ref: '#/components/securitySchemes/bearer' }] : [] };
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
        description: 'The name of an event is the type of its frame; `/openapi.json` describes the query.',
        servers: [{ $ref: '#/servers/stream' }],
        messages: refs(streamed),
      },
    },
    operations: {
      ask: { ...operation('receive', 'socket', 'What a client may send.', fromClient), ...security },
      tell: { ...operation('send', 'socket', 'What a client is sent.', fromService), ...security },
      stream: {
        ...operation('send', 'stream', 'What a reader of the stream is sent.', streamed),
        ...security,
      },
    },
    components: {
      messages: Object.fromEntries(
        Object.entries({ ...fromClient, ...fromService }).map(([name, message]) => [keyOf(name), message]),
      ),
      schemas: schemas.components(),
      ...(asksForTokens && { securitySchemes }),
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
  goingAway: 'the service stops',
  refused: 'too many requests or mistakes',
  tryAgainLater: 'the feed cannot be read now',
  idle: 'subscribed to nothing',
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

/** `snapshot.updated` as a component may be called: `snapshot_updated`. */
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
