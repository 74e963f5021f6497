import type { DescribedRoute } from '../problems/described-route.ts';
import { headersOf } from './header-catalog.ts';

/** Whether the answers of a route have an `ETag`: those that a client may keep and ask about again. */
export function isRevalidated({ method, schema, config }: DescribedRoute): boolean {
  return [method].flat().includes('GET') && '200' in (schema.response ?? {}) && !config.fresh;
}

export const ifNoneMatch = {
  name: 'if-none-match',
  in: 'header',
  required: false,
  description: 'The `ETag` of the answer that you have, or several: 304 says that it still holds.',
  schema: { type: 'string' },
};

export const notModified = {
  description: 'Not changed since the answer whose `ETag` was sent.',
  headers: headersOf(304, ['etag', 'cache-control']),
};
