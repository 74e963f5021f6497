import { z } from 'zod';
import type { Measurements } from '../../contract/service.ts';
import { onlyOperators } from '../access/role.guards.ts';
import type { Api } from '../http/fastify.types.ts';
import type { Waiters } from '../http/long-polling.ts';
import { responses } from '../problems/declared-responses.ts';

/** Measures the duration of each response, by route pattern: paths would be unbounded labels. */
export function measureRequests(app: Api, measurements: Measurements): void {
  app.addHook('onResponse', (request, reply, done) => {
    // The duration of a stream is up to the client.
    if (request.route.stream && reply.statusCode === 200) return done();
    measurements.answered({
      method: request.method,
      route: request.route.url ?? 'none',
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
    done();
  });
}

/** `GET /metrics` */
export function metricsRoute(app: Api, measurements: Measurements, waiters: Waiters): void {
  const schema = {
    operationId: 'getMetrics',
    tags: ['health'],
    summary: 'Metrics for Prometheus',
    description:
      'For operators. Metrics of this node, and those of the cluster from the database. While the database is ' +
      'unavailable the latter are missing and `onboarding_database_up` is 0. Each metric has a `# HELP` line.',
    response: responses({ 200: z.string().meta({ description: 'The text format, version 0.0.4.' }) }, [
      'operators_only',
    ]),
  };
  const config = { produces: ['text/plain'], fresh: true };
  app.get(
    '/metrics',
    { schema, config, logLevel: 'warn', onRequest: onlyOperators },
    async (_request, reply) => {
      const live = { heldRequests: waiters.size, websocketClients: app.websocketServer.clients.size };
      return reply.type(measurements.contentType).send(await measurements.read(live));
    },
  );
}
