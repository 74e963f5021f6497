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

/** For users, without internals. */
export const jobErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  phase: phaseSchema.nullable(),
});

/** The source of the market data, and the state of its provider. */
export const marketDataSchema = z.object({
  providers: z.array(z.string()).meta({ description: 'In the order in which they are asked.' }),
  simulated: z.boolean().meta({ description: 'True: an invented market, for demos and tests only.' }),
  breaker: z
    .object({
      state: z.enum(['closed', 'open', 'half_open']).meta({
        description:
          'Circuit breaker. Open: no requests are sent. Half open: one request tests the provider.',
      }),
      until: timestampSchema.nullable().meta({ description: 'While open: when the next request is sent.' }),
      failures: z.int().meta({ description: 'Failures in a row.' }),
    })
    .nullable()
    .meta({ description: 'Of this node; null without an external provider.' }),
  limiter: z
    .object({
      concurrency: z.int().meta({ description: 'Maximum number of concurrent requests.' }),
      interval_ms: z.int().meta({ description: 'Minimum time between the starts of two requests.' }),
      running: z.int(),
      waiting: z.int().meta({ description: 'Requests that wait for their turn.' }),
    })
    .nullable()
    .meta({ description: 'Of this node; null without an external provider.' }),
});

/** Host and process; operators only. */
const nodeSchema = z.string().nullable();

/** Counts are cluster-wide unless they are described as those of a node. */
export const overviewSchema = z.object({
  paused: z.boolean().meta({ description: 'An operator paused the cluster: no jobs are started.' }),
  depth: z.int().meta({ description: 'Unfinished jobs.' }),
  running: z.int().meta({ description: 'Running jobs of this node: permits in use.' }),
  cluster_running: z.int().nullable().meta({
    description: 'Jobs of all nodes that hold a permit of the cluster; null without a cluster limit.',
  }),
  limits: z.object({
    depth: z.int(),
    concurrency: z.int().meta({ description: 'Permits of this node.' }),
    cluster_concurrency: z
      .int()
      .nullable()
      .meta({ description: 'Permits of the cluster; null without a cluster limit.' }),
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
    median_seconds: z
      .number()
      .nullable()
      .meta({ description: 'Median time from created to finished, last hour.' }),
  }),
  estimated_drain_seconds: z.int().nullable().meta({
    description: 'Based on measured times; null without measurements and while paused.',
  }),
  refresh: z
    .object({
      enabled: z
        .boolean()
        .meta({ description: 'The universe is refreshed after each session (setting REFRESH).' }),
      due: z.int().meta({
        description:
          'Symbols that lack the bar of a completed session, without an attempt for it and without an unfinished job.',
      }),
      unfinished: z.int().meta({ description: 'Unfinished jobs with the reason `refresh`.' }),
    })
    .meta({
      description: 'Refreshes fill at most half of the queue and have a lower priority than uploads.',
    }),
  node: nodeSchema.meta({ description: 'The responding node. Null for users.' }),
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
  .regex(/^(?!0000)/, 'Allowed: years from 0001.'); // PostgreSQL has no year 0

/** Newest first. A job must match all filters. */
export const jobsQuerySchema = z
  .strictObject({
    status: jobStatusListSchema.optional().meta({ description: 'One or more, separated by commas.' }),
    symbol: symbolParameterSchema.optional(),
    outcome: z.enum(jobOutcomes).optional().meta({ description: 'Outcome of completed jobs.' }),
    error_code: z
      .string()
      .regex(/^[a-z0-9_]{1,64}$/, 'Allowed: a code like no_price_data.')
      .optional()
      .meta({
        description: 'The code in `error` of a job: failed jobs have one, and jobs that wait for a retry.',
      }),
    reason: z.enum(jobReasons).optional().meta({ description: 'Why the job was admitted.' }),
    portfolio_id: idSchema.optional().meta({
      description: 'Jobs of the symbols that open lots of this portfolio need.',
    }),
    created_from: momentSchema.optional().meta({ description: 'Created at or after this time; ISO 8601.' }),
    created_to: momentSchema.optional().meta({ description: 'Created before this time; ISO 8601.' }),
    limit: z.coerce.number().int().min(1).max(500).default(50),
    cursor: idSchema.optional().meta({ description: '`next_cursor` of the page before.' }),
  })
  .superRefine(({ created_from, created_to }, context) => {
    if (created_from === undefined || created_to === undefined) return;
    if (Date.parse(created_from) < Date.parse(created_to)) return;
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    refuse('created_from', `Allowed: a time before created_to (${created_to}).`);
    refuse('created_to', `Allowed: a time after created_from (${created_from}).`);
  });
export type JobsQuery = z.infer<typeof jobsQuerySchema>;

export const jobViewSchema = z.object({
  job_id: idSchema,
  symbol: z.string(),
  reason: z.enum(jobReasons),
  status: z.enum(jobStatuses),
  outcome: z.enum(jobOutcomes).nullable(),
  state: z.string().meta({ description: 'The state value with dots: `processing.fetch.backingOff`.' }),
  phase: phaseSchema.meta({ description: 'The phase reached: a retry or a takeover continues here.' }),
  attempt: z.int().min(1),
  progress: progressSchema,
  retry_at: timestampSchema.nullable().meta({ description: 'End of the backoff.' }),
  waited_ms: z.int().meta({ description: 'Total time waited because the provider asked for it.' }),
  resumes: z.int().meta({ description: 'Takeovers in a row without a completed phase.' }),
  sequence: z.int(),
  node: nodeSchema.meta({ description: 'The node that has claimed it, or null. Null for users.' }),
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

/** A transition of a job, from the journal. */
export const transitionSchema = z.object({
  job_id: idSchema,
  symbol: z.string(),
  position: z
    .int()
    .min(1)
    .meta({ description: 'Position in the feed: commit order without gaps, cluster-wide.' }),
  sequence: z.int().min(1).meta({ description: 'Number within the job: 1 to n without gaps.' }),
  from: z.string().nullable().meta({ description: 'State value; null for the first transition.' }),
  to: z.string(),
  event: z.string(),
  status: z.enum(jobStatuses).meta({ description: 'The status of the job in `to`.' }),
  phase: phaseSchema.nullable(),
  attempt: z.int(),
  progress: progressSchema,
  duration_ms: z.int().nullable().meta({ description: 'Time spent in `from`.' }),
  node: nodeSchema.meta({ description: 'The node that made it, or null. Null for users.' }),
  claim_epoch: z.int(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  at: timestampSchema.meta({ description: "By the database's clock." }),
});
export type TransitionView = z.infer<typeof transitionSchema>;

/** An actor at its last committed transition: XState's state value and the context, without internals. */
export const actorSnapshotSchema = z.looseObject({
  status: z.string(),
  value: z.union([z.string(), z.record(z.string(), z.unknown())]),
  context: z.record(z.string(), z.unknown()),
});

export const jobDetailViewSchema = jobViewSchema.extend({
  actor_snapshot: actorSnapshotSchema.nullable(),
  timeline: z.array(transitionSchema).meta({
    description:
      'Ascending by sequence, without gaps. It is deleted some time after the end of the job (JOURNAL_RETENTION_DAYS); ' +
      'a job that is retried after that starts a new one after `sequence`.',
  }),
});
export type JobDetailView = z.infer<typeof jobDetailViewSchema>;
export const jobDetailSchema = jobDetailViewSchema.extend({ links: linksSchema });

/** `cancelled`: it is cancelled now. `requested`: its node was notified and will cancel it within moments. */
export const cancellationSchema = z.object({
  job_id: idSchema,
  status: z.enum(['cancelled', 'requested']),
  links: linksSchema,
});
