import { etagOf, isNamed } from './etag.ts';
import type { Api } from './fastify.types.ts';

const cacheControl = 'private, no-cache'; // clients may store a response, but must revalidate it

/**
 * Adds an `ETag` to each 200 response to a GET, and responds 304 without a body if the client has that version.
 *
 * Not for routes with `config.fresh`, nor for responses with their own `Cache-Control`. @fastify/etag would also
 * respond 304 in place of a problem or to a POST, and supports neither lists nor `*`.
 */
export function revalidate(app: Api): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const { method } = request;
    if (reply.statusCode !== 200 || (method !== 'GET' && method !== 'HEAD')) return done(null, payload);
    if (request.route.fresh) {
      reply.header('cache-control', 'no-store');
      return done(null, payload);
    }
    const isBody = typeof payload === 'string' || Buffer.isBuffer(payload);
    if (!isBody || reply.getHeader('cache-control') !== undefined) return done(null, payload);
    let etag = reply.getHeader('etag');
    if (typeof etag !== 'string') {
      etag = etagOf(payload);
      reply.header('etag', etag);
    }
    reply.header('cache-control', cacheControl);
    if (!isNamed(request.headers['if-none-match'], etag)) return done(null, payload);
    // Without a body these headers have no meaning.
    reply.code(304).removeHeader('content-type').removeHeader('content-disposition');
    // For HEAD, Fastify measures the payload and drops it after this hook.
    done(null, method === 'HEAD' ? payload : null);
  });
}
