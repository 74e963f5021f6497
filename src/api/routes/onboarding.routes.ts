import { z } from 'zod';
import {
  idSchema,
  jobDetailSchema,
  jobsQuerySchema,
  jobsSchema,
  overviewSchema,
} from '../../contract/schemas.ts';
import type { Onboarding } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';
import { viewFor } from '../feed/hide-node-names.ts';
import type { Api } from '../http/fastify.types.ts';
import { responses } from '../openapi/declared-responses.ts';
import { jobLinks } from './links.ts';

const params = z.strictObject({ id: idSchema });
const tags = ['onboarding'];

/** The queue and its jobs, as last committed. */
export function onboardingRoutes(app: Api, onboarding: Onboarding): void {
  overviewRoute(app, onboarding);
  jobsRoute(app, onboarding);
  jobRoute(app, onboarding);
}

function overviewRoute(app: Api, onboarding: Onboarding): void {
  const schema = {
    operationId: 'getOnboarding',
    tags,
    summary: 'How busy onboarding is',
    description:
      'Depth, limits, counts, throughput and how long the queue will take; which provider the figures come from, ' +
      'and whether that market is simulated.',
    response: responses({ 200: overviewSchema }),
  };
  app.get('/onboarding', { schema }, async ({ viewer }) => viewFor(viewer, await onboarding.overview()));
}

function jobsRoute(app: Api, onboarding: Onboarding): void {
  const schema = {
    operationId: 'listJobs',
    tags,
    summary: 'Jobs, newest first',
    description:
      'Filtered by status, symbol, outcome, error code, reason, portfolio and time of creation; a job has to match ' +
      'all filters. Pages by `limit` and `cursor`; new jobs never shift a page.',
    querystring: jobsQuerySchema,
    response: responses({ 200: jobsSchema }, ['portfolio_not_found']),
  };
  app.get('/onboarding/jobs', { schema }, async ({ query, viewer }) => {
    const found = await onboarding.jobs(query, viewer);
    if (found === null) {
      throw new AppError('portfolio_not_found', `There is no portfolio ${query.portfolio_id}.`);
    }
    const jobs = found.jobs.map((job) => ({ ...viewFor(viewer, job), links: jobLinks(job) }));
    return { jobs, next_cursor: found.next_cursor };
  });
}

function jobRoute(app: Api, onboarding: Onboarding): void {
  const schema = {
    operationId: 'getJob',
    tags,
    summary: 'One job: its actor snapshot and its timeline',
    description:
      'The state value and context of its actor at the last committed transition, and every transition since it ' +
      'was admitted, with attempts, durations and errors. An ended job is kept for JOB_RETENTION_DAYS, the newest of a ' +
      'symbol for ever.',
    params,
    response: responses({ 200: jobDetailSchema }, ['job_not_found']),
  };
  app.get('/onboarding/jobs/:id', { schema }, async ({ params: { id }, viewer }) => {
    const view = await onboarding.job(id, viewer);
    if (view === null) throw new AppError('job_not_found', `There is no job ${id}.`);
    return { ...viewFor(viewer, view), links: jobLinks(view) };
  });
}
