import { z } from 'zod';
import { jobStatuses } from '../../../machines/protocol.ts';
import { idSchema, symbolParameterSchema, timestampSchema } from './common.ts';
import { actorSnapshotSchema, jobViewSchema, marketDataSchema, transitionSchema } from './onboarding.ts';
import { snapshotSchema } from './portfolios.ts';

const namesMax = 200; // of one kind in one subscription, as many as a status request may name

export const subscriptionIdSchema = z
  .string()
  .regex(/^[\w.:-]{1,64}$/, 'Allowed: 1 to 64 letters, digits, underscores, dots, colons and hyphens.')
  .meta({ description: 'Chosen by the client, once per connection.' });

const selectorShape = {
  symbols: z.array(symbolParameterSchema).min(1).max(namesMax).optional(),
  portfolios: z.array(idSchema).min(1).max(namesMax).optional().meta({
    description: 'The jobs of the symbols that they need, and their totals. Your own; an operator’s any.',
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

/** What a client wants to hear of: whatever fits at least one of these. */
export const subscriptionSchema = z
  .strictObject({ id: subscriptionIdSchema, ...selectorShape })
  .refine(({ id: _, ...selector }) => Object.values(selector).some((named) => named !== undefined), {
    error: 'Select at least one of symbols, portfolios, jobs, statuses, everything.',
  });
export type Subscription = z.infer<typeof subscriptionSchema>;
/** The same without the client's name for it. */
export type Selector = Omit<Subscription, 'id'>;

const subscriptions = z.array(subscriptionSchema).min(1).max(32);

/** What a client may send. */
export const subscribeFrameSchema = z.strictObject({ type: z.literal('subscribe'), subscriptions });

/** As the first request of a connection only: so whatever a client hears, positions never go back. */
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

/** One subscription, as a query names it; and where no header can be sent, a ticket. */
export const eventsQuerySchema = z
  .strictObject({
    symbols: listOf(symbolParameterSchema, namesMax).meta({ description: 'Separated by commas.' }),
    portfolios: listOf(idSchema, namesMax).meta({ description: 'Your own; an operator’s any.' }),
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
      description:
        'Resumes after that position. `Last-Event-ID` says the same, and holds where both are sent.',
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
    .meta({ description: 'Resumes after that event: an `EventSource` sends it by itself.' }),
});

export const clientFrameSchema = z.discriminatedUnion('type', [
  subscribeFrameSchema,
  resumeFrameSchema,
  unsubscribeFrameSchema,
]);
export type ClientFrame = z.infer<typeof clientFrameSchema>;

const position = z.int().min(0).meta({ description: 'In the feed: in commit order, cluster-wide.' });

/** The first frame of a connection. Nothing else comes before the client has subscribed. */
export const helloFrameSchema = z.object({
  type: z.literal('hello'),
  protocol: z.literal('onboarding.v1+json'),
  position: position.meta({ description: 'The last one that this node has read.' }),
  server_time: timestampSchema,
  market_data: marketDataSchema.pick({ providers: true, simulated: true }),
  limits: z.object({
    ping_interval_ms: z.int(),
    idle_ms: z
      .int()
      .meta({ description: 'A connection without a subscription is closed after that (4408).' }),
    frame_bytes: z.int().meta({ description: 'The largest frame that a client may send (1009).' }),
    buffer_bytes: z.int().meta({
      description: 'Unread bytes from which on a slow client gets the latest of each job and portfolio only.',
    }),
    slow_ms: z
      .int()
      .meta({ description: 'How long it may stay that far behind before it is closed (4429).' }),
    subscriptions: z.int().meta({ description: 'Of one connection.' }),
    requests_per_minute: z
      .int()
      .meta({ description: 'Frames of a client; beyond them it is closed (1008).' }),
    names: z
      .int()
      .meta({ description: 'Symbols, portfolios and jobs in all subscriptions of one connection.' }),
    replay: z.int().meta({ description: 'How many frames a resume may replay; beyond them it is a resync.' }),
  }),
});

/** A subscription begins: `actor` and `portfolio` frames follow, all true at `position`, then `live`. */
export const subscribedFrameSchema = z.object({
  type: z.literal('subscribed'),
  subscription: subscriptionIdSchema,
  position,
  truncated: z.boolean().meta({
    description: 'There are more jobs at rest than are told here: `GET /onboarding/jobs` pages through all.',
  }),
});

/** A job as it is at `position`. What follows of it has a higher `sequence`. */
export const actorFrameSchema = z.object({
  type: z.literal('actor'),
  subscription: subscriptionIdSchema,
  position,
  job: jobViewSchema,
  actor_snapshot: actorSnapshotSchema.nullable(),
});

/** A portfolio of a subscription as it is at `position`, and the symbols whose jobs come with it. */
export const portfolioFrameSchema = z.object({
  type: z.literal('portfolio'),
  subscription: subscriptionIdSchema,
  position,
  portfolio_id: idSchema,
  symbols: z.array(z.string()),
  snapshot: snapshotSchema.nullable(),
});

/** Nothing after that position is missing from here on. */
export const liveFrameSchema = z.object({
  type: z.literal('live'),
  subscriptions: z.array(subscriptionIdSchema),
  position,
});

/** What was missed after `after` follows, then `live`. */
export const resumedFrameSchema = z.object({
  type: z.literal('resumed'),
  subscriptions: z.array(subscriptionIdSchema),
  after: position,
  until: position.meta({
    description: 'Where `live` will be: no point to resume after until that has come.',
  }),
});

export const resyncReasons = ['expired', 'ahead', 'too_far'] as const;

/** What was missed cannot be replayed: forget what you know; each subscription begins anew, with `subscribed`. */
export const resyncFrameSchema = z.object({
  type: z.literal('resync'),
  reason: z.enum(resyncReasons).meta({
    description:
      '`expired`: it is no longer kept, see `floor`. `ahead`: this feed has not come that far, it is another one. ' +
      '`too_far`: it is more than is replayed.',
  }),
  after: position,
  floor: position.meta({ description: 'The lowest position that a resume may name.' }),
  head: position.meta({ description: 'Where the feed is.' }),
});

export const transitionFrameSchema = transitionSchema.extend({ type: z.literal('transition') });

/** The totals of a portfolio have changed. One that changes again before it is told of is told of once. */
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

/** Everything up to there has been sent: a point to resume after, where nothing else tells one. */
export const positionFrameSchema = z.object({ type: z.literal('position'), position });

/** The client reads too slowly: of what came between, only the latest of each job and portfolio follows. */
export const coalescedFrameSchema = z.object({
  type: z.literal('coalesced'),
  after: position,
  until: position.meta({
    description: 'How far the latest reach: no point to resume after until they have come.',
  }),
  skipped: z.int().min(0).meta({ description: 'Transitions and updates that are left out.' }),
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

/** The answer to a frame that cannot be followed; the connection stays open, its other subscriptions too. */
export const errorFrameSchema = z.object({
  type: z.literal('error'),
  code: z.enum(liveErrorCodes),
  message: z.string().meta({ description: 'What was expected, what came, how to mend it.' }),
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
