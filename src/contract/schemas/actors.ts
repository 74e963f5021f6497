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
  .meta({ description: '`supervisor` of the node that answers, or the id of a job.' });

/** Newest first, those of unfinished jobs where nothing else is asked for. */
export const actorsQuerySchema = z.strictObject({
  status: jobStatusListSchema
    .default(['pending', 'processing'])
    .meta({ description: 'Of the job: one or several, separated by commas; unfinished jobs when left out.' }),
  symbol: symbolParameterSchema.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(100),
  cursor: idSchema.optional().meta({ description: '`next_cursor` of the page before.' }),
});
export type ActorsQuery = z.infer<typeof actorsQuerySchema>;

export const actorQuerySchema = z.strictObject({
  at: sequence.optional().meta({ description: 'As it was after that transition of its job.' }),
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

/** What must happen before the actor goes on. Null: nothing will, it is at rest. */
export const waitingSchema = z.object({
  kind: z.enum(waitingKinds).meta({
    description:
      '`node`: that one claims the job. `permit`: that one is free. `time`: that it is `until`. `phase`: that the ' +
      'running phase ends. `commit`: that its last transition is durable. `work`, `children`, `operator`: of a ' +
      'supervisor, that there is a job to claim, that its children end, that somebody resumes.',
  }),
  detail: z.string(),
  until: timestampSchema.nullable(),
  place: z.int().min(1).nullable().meta({ description: 'In the line for a permit of this node.' }),
});

/** An actor that another one started. */
export const childSchema = z.object({
  id: z.string().meta({ description: "Of a supervisor's jobs: the symbol." }),
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
      '`live`: read from the actor in the memory of the node that answers; it may be ahead of what is committed. ' +
      '`journal`: the last committed state, or the one asked for.',
  }),
  node: z
    .string()
    .nullable()
    .meta({ description: 'Where the actor lives; null where nobody has claimed it.' }),
  status: z.string().meta({ description: "XState's: active, done, error or stopped." }),
  state: z.string().meta({ description: 'The state value, dotted.' }),
  value: z.union([z.string(), z.record(z.string(), z.unknown())]),
  context: z.record(z.string(), z.unknown()).meta({ description: 'Without secrets.' }),
  since: timestampSchema.nullable().meta({ description: 'When it entered that state.' }),
  permit: z.boolean().nullable().meta({ description: 'Whether it may run; null of a supervisor.' }),
  waiting_for: waitingSchema.nullable(),
  children: z.array(childSchema),
  committed: z
    .object({ state: z.string(), status: z.enum(jobStatuses), sequence: z.int(), at: timestampSchema })
    .nullable()
    .meta({ description: 'The last transition that the journal has; null of a supervisor, which has none.' }),
});
export type ActorView = z.infer<typeof actorViewSchema>;
export const actorSchema = actorViewSchema.extend({ links: linksSchema });

export const actorsViewSchema = z.object({
  node: z.string().meta({ description: 'The node that answers: only its actors can be live.' }),
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
  url: z.string().meta({ description: 'Values that could be secret are `***`.' }),
  status: z.int().nullable().meta({ description: 'Of HTTP; null where no answer came, or without HTTP.' }),
  result: z.string().meta({ description: '`ok`, `aborted`, or the code of the failure.' }),
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

/** A transition, and what its job did in the state that it left. */
export const timelineEntrySchema = transitionSchema.extend({
  provider_requests: z.array(providerRequestSchema),
  provider_fallbacks: z.array(providerFallbackSchema),
  requests_omitted: z.int().meta({ description: 'Requests and fallbacks beyond the fifty that are kept.' }),
  database_writes: z.int().meta({
    description:
      'Statements with which its phase wrote, for it alone or for several jobs at once; not those of the journal.',
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
