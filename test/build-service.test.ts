import { describe, expect, test } from 'vitest';
import { buildService, type ServiceParts } from '../src/build-service.ts';

const jobId = '0199a000-0000-7000-8000-000000000002';
const totals = {
  paused: false,
  counts: { pending: 7, processing: 3, completed: 0, failed: 0, cancelled: 0 },
  depth: 10,
  throughput: { finished_last_hour: 1, median_seconds: 1 },
  feed_position: 1,
  meanRunSeconds: 6 as number | null,
};

interface Circumstances {
  limits?: { concurrency?: number; clusterConcurrency?: number | null };
  totals?: Partial<typeof totals>;
}

/** The service of a node that has this much to do; what is not asked for here is not there. */
function service({ limits = {}, totals: changes = {} }: Circumstances = {}) {
  const supervisor = { depth: 50, concurrency: 3, clusterConcurrency: null, prefetch: 0, ...limits };
  const measured = { ...totals, ...changes };
  const full = { kind: 'queue_full', depth: 50, limit: 50 };
  return buildService({
    config: { supervisor, refresh: false, marketData: { providers: ['simulated'] }, job: {} },
    clock: { now: () => 0 },
    queries: { totals: async () => measured },
    symbols: {},
    admission: {},
    portfolios: {},
    feed: {},
    operations: { retry: async () => full, setPaused: async () => {} },
    upkeep: { progress: async () => ({ due: 0, unfinished: 0 }) },
    supervisor: () => ({ context: { permits: [] } }),
    ceiling: null,
    gate: null,
    database: { sql: async () => [] },
  } as unknown as ServiceParts);
}

const drain = async (circumstances: Circumstances) =>
  (await service(circumstances).onboarding.overview()).estimated_drain_seconds;
const retryAfter = async (circumstances: Circumstances) => {
  const answer = await service(circumstances).operations.retry(jobId);
  return 'retry_after_seconds' in answer ? answer.retry_after_seconds : null;
};

describe('the estimate of when a queue is worked off', () => {
  test('shares it between the permits of the node', async () => {
    expect(await drain({})).toBe(20); // ten jobs of six seconds, three at once
    expect(await drain({ limits: { concurrency: 10 } })).toBe(6);
    expect(await drain({ totals: { depth: 1 } })).toBe(2);
    expect(await drain({ totals: { meanRunSeconds: 7 } })).toBe(24); // and a third of a second
  });

  test('goes by the permits of the cluster where those are fewer', async () => {
    expect(await drain({ limits: { clusterConcurrency: 2 } })).toBe(30);
    expect(await drain({ limits: { clusterConcurrency: 1 } })).toBe(60);
    expect(await drain({ limits: { clusterConcurrency: 8 } })).toBe(20);
  });

  test('is zero for an empty queue, and unknown while it is paused or before anything was measured', async () => {
    expect(await drain({ totals: { depth: 0, meanRunSeconds: null } })).toBe(0);
    expect(await drain({ totals: { paused: true } })).toBeNull();
    expect(await drain({ totals: { meanRunSeconds: null } })).toBeNull();
  });
});

describe('whoever finds the queue full is told to come again', () => {
  test.each([
    ['when it is worked off', {}, 20],
    ['when it is worked off under the ceiling of the cluster', { limits: { clusterConcurrency: 2 } }, 30],
    ['in a second at the earliest', { totals: { depth: 0 } }, 1],
    ['in half a minute before anything was measured', { totals: { meanRunSeconds: null } }, 30],
    ['in five minutes while it is paused', { totals: { paused: true } }, 300],
  ])('%s', async (_, circumstances, seconds) => {
    expect(await retryAfter(circumstances)).toBe(seconds);
  });
});
