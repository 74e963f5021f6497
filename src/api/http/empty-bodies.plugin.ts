import { Readable } from 'node:stream';
import type { Api } from './fastify.types.ts';

/**
 * With `optimizeEmptyRequests` Node ends an empty body before a listener is attached. A body parser would then wait for
 * `end` forever, if the request has a Content-Type but no body. This passes it a new empty stream instead.
 *
 * Must be installed before the routes.
 */
export function endEmptyBodies(app: Api): void {
  app.addHook('onRoute', (route) => {
    if ([route.method].flat().every((method) => method === 'GET' || method === 'HEAD')) return;
    route.preParsing = [
      (request, _reply, payload, done) => done(null, request.raw.readableEnded ? Readable.from([]) : payload),
      ...[route.preParsing ?? []].flat(),
    ];
  });
}
