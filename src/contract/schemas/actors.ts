import { z } from 'zod';
import { jobStatuses } from '../../../machines/protocol.ts';
import { idSchema, linksSchema, symbolParameterSchema, timestampSchema } from './common.ts';
import { jobStatusListSchema, transitionSchema } from './onboarding.ts';

const sequence = z.coerce.number().int().min(1).max(2_147_483_647);

export const actorIdSchema = z
  .string()
  .regex(
    /^(supervisor|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/,
    'Allowed: supervisor, or the id of a job.',
  )
  .meta({ description: '`supervisor` (of the responding node), or the id of a job.' });

/** Newest first; by default the actors of unfinished jobs. */
export const actorsQuerySchema = z.strictObject({
  status: jobStatusListSchema
    .default(['pending', 'processing'])
    .meta({ description: 'Statuses of jobs, separated by commas; unfinished jobs by default.' }),
  symbol: symbolParameterSchema.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(100),
  cursor: idSchema.optional().meta({ description: '`next_cursor` of the page before.' }),
});
export type ActorsQuery = z.infer<typeof actorsQuerySchema>;

export const actorQuerySchema = z.strictObject({
  at: sequence.optional().meta({ description: 'The state after this transition (`sequence`) of its job.' }),
});

export const waitingKinds = [
  'node',
  'permit',
  'time',
  'phase',
  'commit',
  'work',
  'children',
  'operator',
] as const;

/** What the actor waits for. Null if it is at rest. */
export const waitingSchema = z.object({
  kind: z.enum(waitingKinds).meta({
    description:
      '`node`: a node that claims the job. `permit`: a free permit. `time`: the time in `until`. `phase`: the end of the ' +
      'running phase. `commit`: the commit of its last transition. Of a supervisor, `work`: a job to claim; `children`: ' +
      'the end of its children; `operator`: an operator who resumes.',
  }),
  detail: z.string(),
  until: timestampSchema.nullable(),
  place: z.int().min(1).nullable().meta({ description: 'Place in the queue for a permit of this node.' }),
});

/** A child actor. */
export const childSchema = z.object({
  id: z.string().meta({ description: 'The symbol, if the parent is a supervisor.' }),
  src: z.string(),
  state: z.string().nullable(),
  job_id: idSchema.nullable(),
});

export const actorViewSchema = z.object({
  actor_id: actorIdSchema,
  kind: z.enum(['supervisor', 'job']),
  job_id: idSchema.nullable(),
  symbol: z.string().nullable(),
  source: z.enum(['live', 'journal']).meta({
    description:
      '`live`: read from the memory of the responding node; may be ahead of the committed state. `journal`: the last ' +
      'committed state, or the requested one.',
  }),
  node: z
    .string()
    .nullable()
    .meta({ description: 'The node of the actor; null if no node has claimed the job.' }),
  status: z.string().meta({ description: 'Status in XState: active, done, error or stopped.' }),
  state: z.string().meta({ description: 'The state value, with dots.' }),
  value: z.union([z.string(), z.record(z.string(), z.unknown())]),
  context: z.record(z.string(), z.unknown()).meta({ description: 'Without secrets.' }),
  since: timestampSchema.nullable().meta({ description: 'When it entered that state.' }),
  permit: z
    .boolean()
    .nullable()
    .meta({ description: 'Whether it holds a permit to run; null for a supervisor.' }),
  waiting_for: waitingSchema.nullable(),
  children: z.array(childSchema),
  committed: z
    .object({ state: z.string(), status: z.enum(jobStatuses), sequence: z.int(), at: timestampSchema })
    .nullable()
    .meta({
      description: 'The last transition in the journal; null for a supervisor, which has no journal.',
    }),
});
export type ActorView = z.infer<typeof actorViewSchema>;
export const actorSchema = actorViewSchema.extend({ links: linksSchema });

export const actorsViewSchema = z.object({
  node: z.string().meta({ description: 'The responding node: only its actors can be live.' }),
  supervisor: actorViewSchema,
  actors: z.array(actorViewSchema),
  next_cursor: idSchema.nullable(),
});
export type ActorsView = z.infer<typeof actorsViewSchema>;
export const actorsSchema = actorsViewSchema.extend({
  supervisor: actorSchema,
  actors: z.array(actorSchema),
});

export const timelineQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(200),
  cursor: sequence.optional().meta({ description: '`next_cursor` of the page before.' }),
});
export type TimelineQuery = z.infer<typeof timelineQuerySchema>;

export const providerRequestSchema = z.object({
  provider: z.string(),
  url: z.string().meta({ description: 'Values that may be secret are `***`.' }),
  status: z.int().nullable().meta({ description: 'HTTP status; null without a response or without HTTP.' }),
  result: z.string().meta({ description: '`ok`, `aborted`, or an error code.' }),
  duration_ms: z.int(),
  bytes: z.int().nullable(),
  at: timestampSchema.meta({ description: "When it was sent, by the node's clock." }),
});

export const providerFallbackSchema = z.object({
  from: z.string(),
  to: z.string(),
  code: z.string(),
  message: z.string(),
  at: timestampSchema,
});

/** A transition, and what the job did in the state before it. */
export const timelineEntrySchema = transitionSchema.extend({
  provider_requests: z.array(providerRequestSchema),
  provider_fallbacks: z.array(providerFallbackSchema),
  requests_omitted: z.int().meta({ description: 'Requests and fallbacks beyond the fifty that are stored.' }),
  database_writes: z.int().meta({
    description:
      'Statements that wrote data of its phase, for this job or for a batch of jobs; without those of the journal.',
  }),
});

export const timelineViewSchema = z.object({
  job_id: idSchema,
  symbol: z.string(),
  status: z.enum(jobStatuses),
  entries: z.array(timelineEntrySchema).meta({ description: 'Ascending by sequence.' }),
  next_cursor: z.string().nullable(),
});
export type TimelineView = z.infer<typeof timelineViewSchema>;
export const timelineSchema = timelineViewSchema.extend({ links: linksSchema });
