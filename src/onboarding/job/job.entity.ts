import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** An index on the rows in which `column` is not null: no query looks for null. */
const partialIndex = (column: string, columns: readonly string[]) => {
  const name = `onboarding_jobs_${column}`;
  const listed = columns.map((one) => `"${one}"`).join(', ');
  return {
    name,
    expression: `create index "${name}" on "onboarding_jobs" (${listed}) where "${column}" is not null`,
  };
};

/** A trigger that adds to the counts after each row of a change: see `JobCount`. */
const counted = (event: 'insert' | 'update' | 'delete', body: string) => ({
  name: `counted_${event}`,
  timing: 'after' as const,
  events: [event],
  body: `${body}; return null`,
});
const count = 'insert into onboarding_job_counts (status, n) values';

/** One onboarding of one symbol. The partial unique index guarantees at most one unfinished job per symbol. */
export const OnboardingJob = defineEntity({
  name: 'OnboardingJob',
  tableName: 'onboarding_jobs',
  indexes: [
    {
      name: 'onboarding_jobs_unfinished_symbol',
      expression:
        `create unique index "onboarding_jobs_unfinished_symbol" on "onboarding_jobs" ("symbol") ` +
        `where status in ('pending', 'processing')`,
    },
    { name: 'onboarding_jobs_symbol', properties: ['symbol', 'id'] },
    { name: 'onboarding_jobs_status', properties: ['status', 'id'] },
    partialIndex('outcome', ['outcome', 'id']),
    { name: 'onboarding_jobs_reason', properties: ['reason', 'id'] },
    partialIndex('error_code', ['error_code', 'id']),
    partialIndex('finished_at', ['finished_at']),
    {
      // Each node reads these every second. The key is a column that never changes, so a claim does not touch the index.
      name: 'onboarding_jobs_to_cancel',
      expression:
        `create index "onboarding_jobs_to_cancel" on "onboarding_jobs" ("id") ` +
        `where cancel_requested_at is not null and status in ('pending', 'processing')`,
    },
  ],
  triggers: [
    counted('insert', `${count} (new.status, 1)`),
    counted('update', `if old.status <> new.status then ${count} (old.status, -1), (new.status, 1); end if`),
    counted('delete', `${count} (old.status, -1)`),
  ],
  properties: {
    id: p.uuid().primary(),
    symbol: p.string().length(32),
    reason: p.string().length(16),
    requestedBy: p.string().length(128).nullable(),
    status: p.string().length(16),
    state: p.string().length(64),
    outcome: p.string().length(16).nullable(),
    phase: p.string().length(16),
    attempt: p.integer().default(1),
    retryAt: p.datetime(3).nullable(),
    waitedMs: p.bigint('number').default(0),
    partial: p.boolean().default(false),
    degraded: p.string().length(32).nullable(),
    results: p.json<Record<string, unknown>>().defaultRaw(`'{}'::jsonb`),
    resumes: p.integer().default(0),
    sequence: p.integer().default(0),
    claimEpoch: p.integer().default(0),
    node: p.string().length(128).nullable(),
    queueEntry: p.uuid().nullable(),
    universeCommittedAt: p.datetime(6).nullable(),
    cancelRequestedAt: p.datetime(6).nullable(),
    errorCode: p.string().length(64).nullable(),
    errorMessage: p.text().nullable(),
    errorPhase: p.string().length(16).nullable(),
    machineVersion: p.integer(),
    actorSnapshot: p.json<unknown>().nullable(),
    createdAt: p.datetime(6).defaultRaw('now()'),
    startedAt: p.datetime(6).nullable(),
    finishedAt: p.datetime(6).nullable(),
    updatedAt: p.datetime(6).defaultRaw('now()'),
  },
});
export type OnboardingJob = InferEntity<typeof OnboardingJob>;

/**
 * How many jobs have a status: the sum of `n` over its rows. Triggers of the job table insert a row per change, so that
 * no transaction waits for another one's; the upkeep makes one row of all those of a status.
 */
export const JobCount = defineEntity({
  name: 'JobCount',
  tableName: 'onboarding_job_counts',
  properties: {
    id: p.bigint('string').primary().autoincrement(),
    status: p.string().length(16),
    n: p.bigint('number'),
  },
});

/** The journal: every transition of every job. `sequence` is gapless per job, `position` is gapless over the cluster. */
export const OnboardingTransition = defineEntity({
  name: 'OnboardingTransition',
  tableName: 'onboarding_transitions',
  indexes: [{ name: 'onboarding_transitions_at', properties: ['at'] }],
  properties: {
    jobId: () => p.manyToOne(OnboardingJob).mapToPk().fieldName('job_id').deleteRule('cascade').primary(),
    sequence: p.integer().primary(),
    position: p.bigint('string').unique(),
    symbol: p.string().length(32),
    fromState: p.string().length(64).nullable(),
    toState: p.string().length(64),
    event: p.string().length(96),
    attempt: p.integer(),
    durationMs: p.bigint('number').nullable(),
    node: p.string().length(128).nullable(),
    claimEpoch: p.integer(),
    errorCode: p.string().length(64).nullable(),
    errorMessage: p.text().nullable(),
    actorSnapshot: p.json<unknown>().nullable(),
    /** For timelines and replays: the input of the machine, and what the job did while in `fromState`. */
    trace: p.json<unknown>().nullable(),
    at: p.datetime(6).defaultRaw('clock_timestamp()'),
  },
});
export type OnboardingTransition = InferEntity<typeof OnboardingTransition>;

/** One row: the last assigned feed position (high-water mark), and the floor: all entries above it are still stored. */
export const FeedHead = defineEntity({
  name: 'FeedHead',
  tableName: 'feed_head',
  properties: {
    id: p.smallint().primary().autoincrement(false),
    position: p.bigint('string').default('0'),
    floor: p.bigint('string').default('0'),
  },
});

/** One row per permit of the cluster. A permit without a job is free. */
export const ClusterPermit = defineEntity({
  name: 'ClusterPermit',
  tableName: 'cluster_permits',
  properties: {
    id: p.integer().primary().autoincrement(false),
    jobId: p.uuid().nullable().unique(),
    claimEpoch: p.integer().nullable(),
  },
});

/** Facts about this database that survive restarts: which provider filled it, whether onboarding is paused. */
export const ServiceState = defineEntity({
  name: 'ServiceState',
  tableName: 'service_state',
  properties: {
    key: p.string().primary().length(64),
    value: p.json<unknown>(),
  },
});
