import { z } from 'zod';
import { jobStatuses } from '../../../machines/protocol.ts';
import { idSchema, symbolParameterSchema, timestampSchema } from './common.ts';
import { actorSnapshotSchema, jobViewSchema, marketDataSchema, transitionSchema } from './onboarding.ts';
import { snapshotSchema } from './portfolios.ts';

const namesMax = 200; // per kind and subscription, like a status request

export const subscriptionIdSchema = z
  .string()
  .regex(/^[\w.:-]{1,64}$/, 'Allowed: 1 to 64 letters, digits, underscores, dots, colons and hyphens.')
  .meta({ description: 'Chosen by the client, unique per connection.' });

const selectorShape = {
  symbols: z.array(symbolParameterSchema).min(1).max(namesMax).optional(),
  portfolios: z.array(idSchema).min(1).max(namesMax).optional().meta({
    description: 'The jobs of the symbols that they need, and their totals. Your own; for operators any.',
  }),
  jobs: z.array(idSchema).min(1).max(namesMax).optional(),
  statuses: z
    .array(z.enum(jobStatuses))
    .min(1)
    .max(jobStatuses.length)
    .optional()
    .meta({ description: 'Jobs that enter or leave one of these statuses.' }),
  everything: z.literal(true).optional().meta({ description: 'For operators: every job, every portfolio.' }),
};

/** What a client subscribes to: everything that matches at least one of these. */
export const subscriptionSchema = z
  .strictObject({ id: subscriptionIdSchema, ...selectorShape })
  .refine(({ id: _, ...selector }) => Object.values(selector).some((named) => named !== undefined), {
    error: 'Select at least one of symbols, portfolios, jobs, statuses, everything.',
  });
export type Subscription = z.infer<typeof subscriptionSchema>;
/** A subscription without its id. */
export type Selector = Omit<Subscription, 'id'>;

const subscriptions = z.array(subscriptionSchema).min(1).max(32);

/** Begins subscriptions. */
export const subscribeFrameSchema = z.strictObject({ type: z.literal('subscribe'), subscriptions });

/** Only as the first request of a connection, so that positions never go back. */
export const resumeFrameSchema = z.strictObject({
  type: z.literal('resume'),
  after: z.int().min(0).meta({
    description:
      'The highest `position` of its `live`, `transition`, `snapshot.updated` and `position` frames.',
  }),
  subscriptions,
});

export const unsubscribeFrameSchema = z.strictObject({
  type: z.literal('unsubscribe'),
  subscriptions: z.array(subscriptionIdSchema).min(1).max(32),
});

const listOf = <Item extends z.ZodType<string, string>>(item: Item, most: number) =>
  z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(item).min(1).max(most))
    .optional();

/** One subscription as a query, and a ticket for clients that cannot send headers. */
export const eventsQuerySchema = z
  .strictObject({
    symbols: listOf(symbolParameterSchema, namesMax).meta({ description: 'Separated by commas.' }),
    portfolios: listOf(idSchema, namesMax).meta({ description: 'Your own; for operators any.' }),
    jobs: listOf(idSchema, namesMax).meta({ description: 'Ids, separated by commas.' }),
    statuses: listOf(z.enum(jobStatuses), jobStatuses.length).meta({
      description: 'Jobs that enter or leave one of these statuses.',
    }),
    everything: z
      .literal('true')
      .transform(() => true as const)
      .optional()
      .meta({ description: 'For operators: every job, every portfolio.' }),
    after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional().meta({
      description: 'Resumes after this position. `Last-Event-ID` means the same and takes precedence.',
    }),
    ticket: z.string().max(128).optional().meta({ description: 'From `POST /tickets`.' }),
  })
  .refine(
    ({ after: _, ticket: __, ...selector }) => Object.values(selector).some((named) => named !== undefined),
    {
      error: 'Select at least one of symbols, portfolios, jobs, statuses, everything.',
    },
  );

export const eventsHeadersSchema = z.object({
  'last-event-id': z
    .string()
    .regex(/^\d{1,15}$/, 'Allowed: the id of an event.')
    .transform(Number)
    .optional()
    .meta({ description: 'Resumes after this event; an `EventSource` sends it automatically.' }),
});

export const clientFrameSchema = z.discriminatedUnion('type', [
  subscribeFrameSchema,
  resumeFrameSchema,
  unsubscribeFrameSchema,
]);
export type ClientFrame = z.infer<typeof clientFrameSchema>;

const position = z.int().min(0).meta({ description: 'Position in the feed: commit order, cluster-wide.' });

/** The first frame of a connection. No other frame is sent before the client subscribes. */
export const helloFrameSchema = z.object({
  type: z.literal('hello'),
  protocol: z.literal('onboarding.v1+json'),
  position: position.meta({ description: 'The last position that this node has read.' }),
  server_time: timestampSchema,
  market_data: marketDataSchema.pick({ providers: true, simulated: true }),
  limits: z.object({
    ping_interval_ms: z.int(),
    idle_ms: z
      .int()
      .meta({ description: 'A connection without a subscription is closed after this time (4408).' }),
    frame_bytes: z.int().meta({ description: 'The largest frame that a client may send (1009).' }),
    buffer_bytes: z.int().meta({
      description:
        'Unread bytes above which a slow client gets only the latest frame of each job and portfolio.',
    }),
    slow_ms: z
      .int()
      .meta({ description: 'How long a client may stay that slow before it is closed (4429).' }),
    subscriptions: z.int().meta({ description: 'Maximum per connection.' }),
    requests_per_minute: z
      .int()
      .meta({ description: 'Maximum frames from a client; above it the connection is closed (1008).' }),
    names: z
      .int()
      .meta({ description: 'Maximum symbols, portfolios and jobs in all subscriptions of a connection.' }),
    replay: z
      .int()
      .meta({ description: 'Maximum frames that a resume replays; above it the client gets a resync.' }),
  }),
});

/** A subscription begins: `portfolio` and `actor` frames with the state at `position` follow, then `live`. */
export const subscribedFrameSchema = z.object({
  type: z.literal('subscribed'),
  subscription: subscriptionIdSchema,
  position,
  truncated: z.boolean().meta({
    description: 'Not all finished jobs are sent: `GET /onboarding/jobs` lists all.',
  }),
});

/** The state of a job at `position`. Later transitions have a higher `sequence`. */
export const actorFrameSchema = z.object({
  type: z.literal('actor'),
  subscription: subscriptionIdSchema,
  position,
  job: jobViewSchema,
  actor_snapshot: actorSnapshotSchema.nullable(),
});

/** The state of a portfolio at `position`, and the symbols whose jobs are included. */
export const portfolioFrameSchema = z.object({
  type: z.literal('portfolio'),
  subscription: subscriptionIdSchema,
  position,
  portfolio_id: idSchema,
  symbols: z.array(z.string()),
  snapshot: snapshotSchema.nullable(),
});

/** From here on every entry after `position` is sent. */
export const liveFrameSchema = z.object({
  type: z.literal('live'),
  subscriptions: z.array(subscriptionIdSchema),
  position,
});

/** The entries missed after `after` follow, then `live`. */
export const resumedFrameSchema = z.object({
  type: z.literal('resumed'),
  subscriptions: z.array(subscriptionIdSchema),
  after: position,
  until: position.meta({
    description: 'The position of the coming `live`. Do not resume after it before `live` arrives.',
  }),
});

export const resyncReasons = ['expired', 'ahead', 'too_far'] as const;

/** The missed entries cannot be replayed. Discard your state: each subscription starts again with `subscribed`. */
export const resyncFrameSchema = z.object({
  type: z.literal('resync'),
  reason: z.enum(resyncReasons).meta({
    description:
      '`expired`: the entries were deleted, see `floor`. `ahead`: this feed has not reached `after`; it is another feed. ' +
      '`too_far`: there are more entries than a resume replays.',
  }),
  after: position,
  floor: position.meta({ description: 'The lowest position that can be resumed after.' }),
  head: position.meta({ description: 'The present position of the feed.' }),
});

export const transitionFrameSchema = transitionSchema.extend({ type: z.literal('transition') });

/** The totals of a portfolio have changed. Several changes before it is sent become one frame. */
export const snapshotUpdatedFrameSchema = z.object({
  type: z.literal('snapshot.updated'),
  position,
  portfolio_id: idSchema,
  cause: z.string().nullable().meta({ description: 'The symbol that completed.' }),
  before: snapshotSchema.nullable().meta({ description: 'Null for the first totals.' }),
  after: snapshotSchema,
});

export const unsubscribedFrameSchema = z.object({
  type: z.literal('unsubscribed'),
  subscriptions: z.array(subscriptionIdSchema),
});

/** Every entry up to `position` was sent: a point to resume after while nothing happens. */
export const positionFrameSchema = z.object({ type: z.literal('position'), position });

/** The client reads too slowly: only the latest entry of each job and portfolio follows (coalescing). */
export const coalescedFrameSchema = z.object({
  type: z.literal('coalesced'),
  after: position,
  until: position.meta({
    description: 'The highest position of the coming entries. Do not resume after it before they arrive.',
  }),
  skipped: z.int().min(0).meta({ description: 'Number of transitions and updates that were left out.' }),
});

export const liveErrorCodes = [
  'malformed_frame',
  'invalid_frame',
  'operators_only',
  'portfolio_not_found',
  'duplicate_subscription',
  'unknown_subscription',
  'too_many_subscriptions',
  'too_many_requests',
  'resume_too_late',
  'feed_unavailable',
  'too_slow',
] as const;
export type LiveErrorCode = (typeof liveErrorCodes)[number];

/** The response to an invalid frame. The connection and its other subscriptions stay open. */
export const errorFrameSchema = z.object({
  type: z.literal('error'),
  code: z.enum(liveErrorCodes),
  message: z.string().meta({ description: 'What is wrong, what is allowed, how to fix it.' }),
  subscription: subscriptionIdSchema.nullable(),
});

export const frameSchema = z.discriminatedUnion('type', [
  helloFrameSchema,
  subscribedFrameSchema,
  actorFrameSchema,
  portfolioFrameSchema,
  liveFrameSchema,
  resumedFrameSchema,
  resyncFrameSchema,
  transitionFrameSchema,
  snapshotUpdatedFrameSchema,
  unsubscribedFrameSchema,
  positionFrameSchema,
  coalescedFrameSchema,
  errorFrameSchema,
]);
export type Frame = z.infer<typeof frameSchema>;
export type FrameOf<Type extends (Frame | ClientFrame)['type']> = Extract<
  Frame | ClientFrame,
  { type: Type }
>;
