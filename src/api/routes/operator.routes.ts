import { z } from 'zod';
import { cancellationSchema, idSchema, jobDetailSchema, overviewSchema } from '../../contract/schemas.ts';
import type { Operations } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';
import { onlyOperators } from '../access/role.guards.ts';
import type { Api } from '../http/fastify.types.ts';
import { jobLinks, jobPath } from '../http/links.ts';
import { changeProblems, responses } from '../problems/declared-responses.ts';
import { refuseCancel, refuseRetry } from '../problems/refusals.ts';

const params = z.strictObject({ id: idSchema });
const tags = ['operations'];

/** Commands for operators. */
export function operatorRoutes(app: Api, operations: Operations): void {
  retryRoute(app, operations);
  cancelRoute(app, operations);
  pauseRoutes(app, operations);
}

function retryRoute(app: Api, operations: Operations): void {
  const schema = {
    operationId: 'retryJob',
    tags,
    summary: 'Retry a failed or partial job',
    description:
      'The job continues at the phase that failed, with all its attempts. A partial job measures its factors again ' +
      'while its symbol stays ready. 409 if the job is neither, or if the symbol has another unfinished job.',
    params,
    response: responses(
      { 202: jobDetailSchema },
      [...changeProblems, 'operators_only', 'job_not_found', 'not_retryable', 'symbol_busy', 'queue_full'],
      { 202: ['location'] },
    ),
  };
  app.post('/onboarding/jobs/:id/retry', { schema, onRequest: onlyOperators }, async (request, reply) => {
    const { id } = request.params;
    const answer = await operations.retry(id);
    if (answer.kind === 'not_found') throw noSuchJob(id);
    if (answer.kind !== 'retried') throw refuseRetry(answer);
    const links = jobLinks(answer.job);
    return reply
      .code(202)
      .header('location', jobPath(id))
      .send({ ...answer.job, links });
  });
}

function cancelRoute(app: Api, operations: Operations): void {
  const schema = {
    operationId: 'cancelJob',
    tags,
    summary: 'Cancel an unfinished job',
    description:
      '`cancelled`: it had not started and is cancelled now. `requested`: the node that runs it was notified and will ' +
      'abort the phase; the status of the job shows when. 409 if the symbol is already in the universe, or if the job ' +
      'has finished.',
    params,
    response: responses({ 202: cancellationSchema }, [
      ...changeProblems,
      'operators_only',
      'job_not_found',
      'too_late_to_cancel',
      'not_cancellable',
    ]),
  };
  app.post('/onboarding/jobs/:id/cancel', { schema, onRequest: onlyOperators }, async (request, reply) => {
    const { id } = request.params;
    const answer = await operations.cancel(id);
    if (answer.kind === 'not_found') throw noSuchJob(id);
    if (answer.kind !== 'cancelled' && answer.kind !== 'requested') throw refuseCancel(answer);
    return reply
      .code(202)
      .send({ job_id: id, status: answer.kind, links: jobLinks({ job_id: id, symbol: answer.symbol }) });
  });
}

function pauseRoutes(app: Api, operations: Operations): void {
  const response = responses({ 200: overviewSchema }, [...changeProblems, 'operators_only']);
  const pause = {
    operationId: 'pauseOnboarding',
    tags,
    summary: 'Start no more jobs',
    description:
      'On every node, including later ones, until resumed. Running jobs continue; uploads are still admitted. Pausing ' +
      'twice has no further effect.',
    response,
  };
  const resume = {
    operationId: 'resumeOnboarding',
    tags,
    summary: 'Start jobs again',
    description: 'Ends a pause on every node. Without a pause it has no effect.',
    response,
  };
  const onRequest = onlyOperators;
  app.post('/onboarding/pause', { schema: pause, onRequest }, async () => operations.setPaused(true));
  app.post('/onboarding/resume', { schema: resume, onRequest }, async () => operations.setPaused(false));
}

const noSuchJob = (id: string) => new AppError('job_not_found', `There is no job ${id}.`);
