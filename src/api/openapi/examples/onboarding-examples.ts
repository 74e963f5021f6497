import type { z } from 'zod';
import type {
  cancellationSchema,
  JobDetailView,
  JobView,
  OverviewView,
  TransitionView,
} from '../../../contract/schemas.ts';
import { eventText } from '../../feed/frames.ts';
import { jobLinks } from '../../http/links.ts';
import type { OperationExample } from './examples.ts';

const id = '01a20497-20ee-7120-a7a2-4d5a9d1ce6da';
const symbol = 'BRK-B';

const overview: OverviewView = {
  paused: false,
  depth: 1,
  running: 1,
  cluster_running: 1,
  limits: { depth: 50, concurrency: 3, cluster_concurrency: 8, prefetch: 0 },
  counts: { pending: 0, processing: 1, completed: 41, failed: 0, cancelled: 0 },
  throughput: { finished_last_hour: 12, median_seconds: 2.4 },
  estimated_drain_seconds: 3,
  refresh: { enabled: true, due: 0, unfinished: 0 },
  node: 'server-1-4711-00e1ae3d',
  feed_position: 342,
  market_data: {
    providers: ['yahoo'],
    simulated: false,
    breaker: { state: 'open', until: '2026-11-22T18:50:03.000Z', failures: 1 },
    limiter: { concurrency: 4, interval_ms: 0, running: 0, waiting: 0 },
  },
};

export const jobExample: JobView = {
  job_id: id,
  symbol,
  reason: 'upload',
  status: 'processing',
  outcome: null,
  state: 'processing.fetch.running',
  phase: 'fetch',
  attempt: 1,
  progress: 0,
  retry_at: null,
  waited_ms: 0,
  resumes: 0,
  sequence: 2,
  node: 'server-1-4711-00e1ae3d',
  error: null,
  cancel_requested_at: null,
  created_at: '2026-11-22T18:49:02.900Z',
  started_at: '2026-11-22T18:49:03.172Z',
  finished_at: null,
  updated_at: '2026-11-22T18:49:03.174Z',
};

const links = jobLinks(jobExample);

const created: TransitionView = {
  job_id: id,
  symbol,
  position: 340,
  sequence: 1,
  from: null,
  to: 'pending',
  event: 'job.created',
  status: 'pending',
  phase: null,
  attempt: 1,
  progress: 0,
  duration_ms: null,
  node: null,
  claim_epoch: 0,
  error: null,
  at: '2026-11-22T18:49:02.974Z',
};

export const transitionExample: TransitionView = {
  ...created,
  position: 342,
  sequence: 2,
  from: 'pending',
  to: 'processing.fetch.running',
  event: 'permit.granted',
  status: 'processing',
  phase: 'fetch',
  duration_ms: 2,
  node: 'server-1-4711-00e1ae3d',
  claim_epoch: 1,
  at: '2026-11-22T18:49:03.174Z',
};

const detail: JobDetailView = {
  ...jobExample,
  actor_snapshot: {
    status: 'active',
    value: { processing: { fetch: 'running' } },
    context: { jobId: id, symbol, phase: 'fetch', attempt: 1, permit: true },
  },
  timeline: [created, transitionExample],
};

const retried: JobDetailView = {
  ...jobExample,
  status: 'pending',
  state: 'pending',
  sequence: 1,
  node: null,
  started_at: null,
  actor_snapshot: null,
  timeline: [created],
};

const cancelled: z.output<typeof cancellationSchema> = { job_id: id, status: 'requested', links };

/** What a stream begins with, and the first event of it. */
const events = [
  'retry: 1000\n\n',
  eventText({ type: 'subscribed', subscription: 'events', position: 341, truncated: false }),
  eventText({ type: 'live', subscriptions: ['events'], position: 341 }),
  eventText({ type: 'transition', ...transitionExample }),
].join('');

export const onboardingExamples: Record<string, OperationExample> = {
  streamEvents: { parameters: { symbols: [symbol] }, answers: { 200: events } },
  getOnboarding: { answers: { 200: overview } },
  listJobs: {
    parameters: {
      status: ['pending', 'processing'],
      symbol,
      outcome: 'partial',
      error_code: 'no_price_data',
      reason: 'upload',
      created_from: '2026-11-22T18:00:00Z',
      created_to: '2026-11-22T19:00:00Z',
      limit: 50,
    },
    answers: { 200: { jobs: [{ ...jobExample, links }], next_cursor: null } },
  },
  getJob: { parameters: { id }, answers: { 200: { ...detail, links } } },
  retryJob: { parameters: { id }, answers: { 202: { ...retried, links } } },
  cancelJob: { parameters: { id }, answers: { 202: cancelled } },
  pauseOnboarding: { answers: { 200: { ...overview, paused: true } } },
  resumeOnboarding: { answers: { 200: overview } },
  watch: { parameters: { ticket: 'fM3kYb0x9uVq2o6cW1r7TzJ5nH8sGdLaPeXiCvKtQwE' } },
};
