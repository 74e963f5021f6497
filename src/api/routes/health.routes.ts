import { liveSchema, readySchema } from '../../contract/schemas.ts';
import type { Health } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Api } from '../http/fastify.types.ts';
import { publicResponses } from '../problems/declared-responses.ts';

const tags = ['health'];
const config = { public: true, fresh: true, rate: 'unlimited' } as const;

/** For orchestrators: `live` decides about a restart, `ready` about traffic. */
export function healthRoutes(app: Api, health: Health): void {
  const liveRoute = {
    operationId: 'getLive',
    tags,
    summary: 'Is the process alive?',
    description: 'Checks the event loop only: an unavailable database is no reason to restart the process.',
    response: publicResponses({ 200: liveSchema }),
  };
  app.get('/health/live', { schema: liveRoute, logLevel: 'warn', config }, async () => ({
    status: 'ok' as const,
  }));

  const readyRoute = {
    operationId: 'getReady',
    tags,
    summary: 'Can the node serve requests?',
    description:
      '200 if every check passes, else 503 with the same `checks`: the database, its schema, the notifications of the ' +
      'queue, the supervisor, the feed, the loops that take jobs (claims), read the requests of operators (requests), ' +
      'take permits and renew leases, and the data directory of an embedded database. Each has 2 s. The market-data ' +
      'provider is not checked: without it the node still serves what it has, and its jobs wait.',
    response: publicResponses({ 200: readySchema }, ['not_ready', 'shutting_down']),
  };
  app.get('/health/ready', { schema: readyRoute, logLevel: 'warn', config }, async () => {
    const checks = await health.ready();
    const failed = checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
    if (failed.length > 0) {
      throw new AppError('not_ready', `Not ready: ${failed.join(', ')}.`, { details: { checks } });
    }
    return { status: 'ok' as const, checks };
  });
}
