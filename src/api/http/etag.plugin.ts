import { etagOf, isNamed } from './etag.ts';
import type { Api } from './fastify.types.ts';

const cacheControl = 'private, no-cache'; // whoever keeps an answer asks whether it still holds

/**
 * Gives each answer 200 to a GET its `ETag`, and answers 304 without a body to whoever has it already.
 *
 * Not for routes whose `config.fresh` says that each answer is news, nor for what sets its own `Cache-Control`.
 * @fastify/etag would also answer 304 in place of a problem or to a POST, and knows neither lists nor `*`.
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
    // What describes a body has no place without one.
    reply.code(304).removeHeader('content-type').removeHeader('content-disposition');
    // What HEAD would have got is measured and dropped behind this.
    done(null, method === 'HEAD' ? payload : null);
  });
}
