import { z } from 'zod';
import { jobReasons, jobStatuses } from '../../../machines/protocol.ts';
import {
  idSchema,
  linksSchema,
  phaseSchema,
  progressSchema,
  symbolParameterSchema,
  timestampSchema,
} from './common.ts';

export const jobOutcomes = ['complete', 'partial'] as const;

/** In plain words, without internals. */
export const jobErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  phase: phaseSchema.nullable(),
});

/** Which market the figures come from, and how its provider is. */
export const marketDataSchema = z.object({
  providers: z.array(z.string()).meta({ description: 'In the order in which they are tried.' }),
  simulated: z.boolean().meta({ description: 'True: an invented market, for demos and tests only.' }),
  breaker: z
    .object({
      state: z.enum(['closed', 'open', 'half_open']).meta({
        description: 'Open: nothing is sent. Half open: one request finds out whether the provider is back.',
      }),
      until: timestampSchema.nullable().meta({ description: 'While open: when the next request is sent.' }),
      failures: z.int().meta({ description: 'In a row, since the last good answer.' }),
    })
    .nullable()
    .meta({ description: 'Of this node; null where nothing outside of it is asked.' }),
  limiter: z
    .object({
      concurrency: z.int().meta({ description: 'Requests at once, at most.' }),
      interval_ms: z.int().meta({ description: 'Between the starts of two requests, at least.' }),
      running: z.int(),
      waiting: z.int().meta({ description: 'Requests that wait for their turn.' }),
    })
    .nullable()
    .meta({ description: 'Of this node; null where nothing outside of it is asked.' }),
});

/** Host and process, for operators. */
const nodeSchema = z.string().nullable();

/** All counts are over the whole cluster, unless they name the node. */
export const overviewSchema = z.object({
  paused: z.boolean().meta({ description: 'An operator paused the cluster: no job is begun.' }),
  depth: z.int().meta({ description: 'Jobs admitted and not finished.' }),
  running: z.int().meta({ description: 'Jobs whose phase runs now on this node: permits in use.' }),
  cluster_running: z.int().nullable().meta({
    description:
      'Jobs of all nodes that hold a permit of the cluster; null where nothing bounds the cluster.',
  }),
  limits: z.object({
    depth: z.int(),
    concurrency: z.int().meta({ description: 'Permits of this node.' }),
    cluster_concurrency: z
      .int()
      .nullable()
      .meta({ description: 'Permits of the cluster; null where nothing bounds it.' }),
    prefetch: z.int(),
  }),
  counts: z
    .object({
      pending: z.int(),
      processing: z.int(),
      completed: z.int(),
      failed: z.int(),
      cancelled: z.int(),
    })
    .meta({
      description:
        'Jobs that are kept, by status. An ended job is deleted after JOB_RETENTION_DAYS, unless it is the newest of ' +
        'its symbol.',
    }),
  throughput: z.object({
    finished_last_hour: z.int(),
    median_seconds: z.number().nullable().meta({ description: 'From created to finished, last hour.' }),
  }),
  estimated_drain_seconds: z.int().nullable().meta({
    description: 'From measured times; null before anything was measured, and while paused.',
  }),
  refresh: z
    .object({
      enabled: z.boolean().meta({ description: 'The universe is refreshed after each session: `REFRESH`.' }),
      due: z.int().meta({
        description:
          'Symbols without a bar of a completed session, not yet tried for it, without an unfinished job.',
      }),
      unfinished: z.int().meta({ description: 'Unfinished jobs of the reason `refresh`.' }),
    })
    .meta({
      description: 'Refreshes fill at most half of the queue, and come after whatever users wait for.',
    }),
  node: nodeSchema.meta({ description: 'The node that answers. Null for users.' }),
  feed_position: z.int(),
  market_data: marketDataSchema,
});
export type OverviewView = z.infer<typeof overviewSchema>;

export const jobStatusListSchema = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(jobStatuses)).min(1).max(jobStatuses.length));

const momentSchema = z.iso
  .datetime({ offset: true })
  .max(40)
  .regex(/^(?!0000)/, 'expected a year from 0001'); // PostgreSQL has no year 0

/** Newest first. Filters are joined by "and". */
export const jobsQuerySchema = z
  .strictObject({
    status: jobStatusListSchema.optional().meta({ description: 'One or several, separated by commas.' }),
    symbol: symbolParameterSchema.optional(),
    outcome: z.enum(jobOutcomes).optional().meta({ description: 'Of completed jobs.' }),
    error_code: z
      .string()
      .regex(/^[a-z0-9_]{1,64}$/, 'expected a code like no_price_data')
      .optional()
      .meta({ description: 'The code in `error` of a job: failed ones have it, and those that try again.' }),
    reason: z.enum(jobReasons).optional().meta({ description: 'Why the job was admitted.' }),
    portfolio_id: idSchema.optional().meta({
      description: 'Jobs of the symbols that open lots of this portfolio need, whoever asked first.',
    }),
    created_from: momentSchema.optional().meta({ description: 'Created then or later; ISO 8601.' }),
    created_to: momentSchema.optional().meta({ description: 'Created before then; ISO 8601.' }),
    limit: z.coerce.number().int().min(1).max(500).default(50),
    cursor: idSchema.optional().meta({ description: '`next_cursor` of the page before.' }),
  })
  .superRefine(({ created_from, created_to }, context) => {
    if (created_from === undefined || created_to === undefined) return;
    if (Date.parse(created_from) < Date.parse(created_to)) return;
    const told = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    told('created_from', `expected a moment before created_to (${created_to})`);
    told('created_to', `expected a moment after created_from (${created_from})`);
  });
export type JobsQuery = z.infer<typeof jobsQuerySchema>;

export const jobViewSchema = z.object({
  job_id: idSchema,
  symbol: z.string(),
  reason: z.enum(jobReasons),
  status: z.enum(jobStatuses),
  outcome: z.enum(jobOutcomes).nullable(),
  state: z.string().meta({ description: 'The state value, dotted: `processing.fetch.backingOff`.' }),
  phase: phaseSchema.meta({ description: 'The phase reached: where a retry or a takeover goes on.' }),
  attempt: z.int().min(1),
  progress: progressSchema,
  retry_at: timestampSchema.nullable().meta({ description: 'Until when it backs off.' }),
  waited_ms: z.int().meta({ description: 'Waiting because the provider said so, in all.' }),
  resumes: z.int().meta({ description: 'Takeovers in a row without a completed phase.' }),
  sequence: z.int(),
  node: nodeSchema.meta({ description: 'The node that has claimed it, null without one. Null for users.' }),
  error: jobErrorSchema.nullable(),
  cancel_requested_at: timestampSchema.nullable(),
  created_at: timestampSchema,
  started_at: timestampSchema.nullable(),
  finished_at: timestampSchema.nullable(),
  updated_at: timestampSchema,
});
export type JobView = z.infer<typeof jobViewSchema>;
export const jobSchema = jobViewSchema.extend({ links: linksSchema });

export const jobsViewSchema = z.object({ jobs: z.array(jobViewSchema), next_cursor: idSchema.nullable() });
export const jobsSchema = z.object({ jobs: z.array(jobSchema), next_cursor: idSchema.nullable() });

/** One transition of one job, as the journal holds it. */
export const transitionSchema = z.object({
  job_id: idSchema,
  symbol: z.string(),
  position: z.int().min(1).meta({ description: 'In the feed: gapless and in commit order, cluster-wide.' }),
  sequence: z.int().min(1).meta({ description: 'In the job: 1 to n, gapless.' }),
  from: z.string().nullable().meta({ description: 'State value, null for the first.' }),
  to: z.string(),
  event: z.string(),
  status: z.enum(jobStatuses).meta({ description: 'The job status that `to` belongs to.' }),
  phase: phaseSchema.nullable(),
  attempt: z.int(),
  progress: progressSchema,
  duration_ms: z.int().nullable().meta({ description: 'Time spent in `from`.' }),
  node: nodeSchema.meta({ description: 'The node that made it, null without one. Null for users.' }),
  claim_epoch: z.int(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  at: timestampSchema.meta({ description: "The database's clock." }),
});
export type TransitionView = z.infer<typeof transitionSchema>;

/** What an actor was at its last committed transition: XState's state value and the context, without internals. */
export const actorSnapshotSchema = z.looseObject({
  status: z.string(),
  value: z.union([z.string(), z.record(z.string(), z.unknown())]),
  context: z.record(z.string(), z.unknown()),
});

export const jobDetailViewSchema = jobViewSchema.extend({
  actor_snapshot: actorSnapshotSchema.nullable(),
  timeline: z.array(transitionSchema).meta({
    description:
      'Ascending by sequence, without a gap. A while after its end (JOURNAL_RETENTION_DAYS) a job loses it as a whole; ' +
      'one that is retried even later begins anew behind `sequence`.',
  }),
});
export type JobDetailView = z.infer<typeof jobDetailViewSchema>;
export const jobDetailSchema = jobDetailViewSchema.extend({ links: linksSchema });

/** `cancelled`: it is over. `requested`: its node has been told, and ends it within moments. */
export const cancellationSchema = z.object({
  job_id: idSchema,
  status: z.enum(['cancelled', 'requested']),
  links: linksSchema,
});
