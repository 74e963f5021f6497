import type { DescribedRoute } from '../problems/described-route.ts';
import { headersOf } from './header-catalog.ts';

/** Whether the responses of a route have an `ETag`, so that clients can revalidate them. */
export function isRevalidated({ method, schema, config }: DescribedRoute): boolean {
  return [method].flat().includes('GET') && '200' in (schema.response ?? {}) && !config.fresh;
}

export const ifNoneMatch = {
  name: 'if-none-match',
  in: 'header',
  required: false,
  description: 'One or more `ETag`s of earlier responses: 304 means that one is still current.',
  schema: { type: 'string' },
};

export const notModified = {
  description: 'Not modified since the response with that `ETag`.',
  headers: headersOf(304, ['etag', 'cache-control']),
};
