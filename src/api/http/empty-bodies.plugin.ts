import { Readable } from 'node:stream';
import type { Api } from './fastify.types.ts';

/**
 * Node ends the body of a request that has none before anybody listens (`optimizeEmptyRequests`), and whoever waits for
 * its end would wait for ever: a parser does, where the request names a type for the body that it has not. It gets one
 * that ends in its sight.
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
