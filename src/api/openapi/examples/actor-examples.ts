import type { z } from 'zod';
import type { ActorView, actorsSchema, TimelineView } from '../../../contract/schemas.ts';
import { actorLinks, jobLinks } from '../../http/links.ts';
import type { OperationExample } from './examples.ts';

const id = '01a20497-20ee-7120-a7a2-4d5a9d1ce6da';
const symbol = 'BRK-B';
const node = 'server-1-4711-00e1ae3d';

const supervisor: ActorView = {
  actor_id: 'supervisor',
  kind: 'supervisor',
  job_id: null,
  symbol: null,
  source: 'live',
  node,
  status: 'active',
  state: 'accepting',
  value: 'accepting',
  context: { depth: 50, concurrency: 3, permits: [symbol], waiting: [], paused: false },
  since: null,
  permit: null,
  waiting_for: { kind: 'work', detail: 'it waits for a job to claim', until: null, place: null },
  children: [
    { id: 'claims', src: 'claims', state: null, job_id: null },
    { id: symbol, src: 'job', state: 'processing.fetch.running', job_id: id },
  ],
  committed: null,
};

const at = '2026-11-22T18:49:03.174Z';

const job: ActorView = {
  ...supervisor,
  actor_id: id,
  kind: 'job',
  job_id: id,
  symbol,
  state: 'processing.fetch.running',
  value: { processing: { fetch: 'running' } },
  context: { jobId: id, symbol, phase: 'fetch', attempt: 1, permit: true },
  since: at,
  permit: true,
  waiting_for: { kind: 'phase', detail: 'phase fetch is running', until: null, place: null },
  children: [{ id: 'fetch', src: 'fetch', state: null, job_id: null }],
  committed: { state: 'processing.fetch.running', status: 'processing', sequence: 3, at },
};

const actors: z.output<typeof actorsSchema> = {
  node,
  supervisor: { ...supervisor, links: actorLinks(supervisor) },
  actors: [{ ...job, links: actorLinks(job) }],
  next_cursor: null,
};

const timeline: TimelineView = {
  job_id: id,
  symbol,
  status: 'processing',
  entries: [
    {
      job_id: id,
      symbol,
      position: 343,
      sequence: 4,
      from: 'processing.fetch.running',
      to: 'processing.factors.running',
      event: 'fetch.done',
      status: 'processing',
      phase: 'factors',
      attempt: 1,
      progress: 0.2,
      duration_ms: 412,
      node,
      claim_epoch: 1,
      error: null,
      at: '2026-11-22T18:49:03.586Z',
      provider_requests: [
        {
          provider: 'yahoo',
          url: 'https://query2.finance.yahoo.com/v8/finance/chart/BRK-B?period1=1763769600&interval=1d',
          status: 200,
          result: 'ok',
          duration_ms: 371,
          bytes: 24183,
          at: '2026-11-22T18:49:03.176Z',
        },
      ],
      provider_fallbacks: [],
      requests_omitted: 0,
      database_writes: 2,
    },
  ],
  next_cursor: null,
};

export const actorExamples: Record<string, OperationExample> = {
  inspect: { parameters: { ticket: 'fM3kYb0x9uVq2o6cW1r7TzJ5nH8sGdLaPeXiCvKtQwE' } },
  listActors: {
    parameters: { status: ['pending', 'processing'], symbol, limit: 100 },
    answers: { 200: actors },
  },
  getActor: { parameters: { id, at: 3 }, answers: { 200: { ...job, links: actorLinks(job) } } },
  getTimeline: {
    parameters: { id, limit: 200 },
    answers: { 200: { ...timeline, links: jobLinks(timeline) } },
  },
};
