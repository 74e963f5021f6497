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
import { jobLinks } from '../http/links.ts';
import { responses } from '../problems/declared-responses.ts';

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
    summary: 'State and load of onboarding',
    description:
      'Depth, limits, counts, throughput, the estimated time until the queue is empty, and the source of the market data.',
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
      'Filters: status, symbol, outcome, error code, reason, portfolio and creation time; a job must match all of them. ' +
      'Pages by `limit` and `cursor`; new jobs never shift a page.',
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
    summary: 'One job with its actor snapshot and timeline',
    description:
      'State value and context of its actor at the last committed transition, and every transition since admission ' +
      'with attempts, durations and errors. A finished job is kept for JOB_RETENTION_DAYS, the newest of a symbol ' +
      'for ever.',
    params,
    response: responses({ 200: jobDetailSchema }, ['job_not_found']),
  };
  app.get('/onboarding/jobs/:id', { schema }, async ({ params: { id }, viewer }) => {
    const view = await onboarding.job(id, viewer);
    if (view === null) throw new AppError('job_not_found', `There is no job ${id}.`);
    return { ...viewFor(viewer, view), links: jobLinks(view) };
  });
}
