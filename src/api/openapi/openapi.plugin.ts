import swagger from '@fastify/swagger';
import manifest from '../../../package.json' with { type: 'json' };
import { apiDocumentSchema, feedDocumentSchema } from '../../contract/schemas.ts';
import type { Api } from '../http/fastify.types.ts';
import { publicResponses } from '../problems/declared-responses.ts';
import type { DescribedRoute, RouteSchema } from '../problems/described-route.ts';
import { describeFeed } from './asyncapi.ts';
import frames from './examples/frames.json' with { type: 'json' };
import examples from './examples/operations.json' with { type: 'json' };
import problems from './examples/problems.json' with { type: 'json' };
import { describeApi } from './openapi.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route in the API document. */
    describedRoutes: readonly DescribedRoute[];
  }
}

/**
 * Collects every route that is declared after it. The document is made at its first request, so it does not delay the
 * start.
 */
export function describeRoutes(app: Api, options: { protected: boolean }): void {
  const routes: DescribedRoute[] = [];
  app.decorate('describedRoutes', routes);
  app.addHook('onRoute', ({ method, url, schema = {}, config = {} }) => {
    if (method === 'HEAD' || ('hide' in schema && schema.hide)) return;
    routes.push({ method, url, schema: schema as RouteSchema, config });
  });
  // Serves the document to the reference page. The plugin's own conversion loses features of OpenAPI 3.1.
  app.register(swagger, {
    openapi: { openapi: '3.1.1', info: { title: manifest.name, version: manifest.version } },
    transform: ({ url }) => ({ schema: { hide: true }, url }),
    transformObject: () =>
      describeApi({ routes, examples, problems, version: manifest.version, ...options }) as object,
  });
}

/** `GET /asyncapi.json` */
export function asyncapiRoute(app: Api, options: { protected: boolean }): void {
  const schema = {
    operationId: 'getFeedDocument',
    tags: ['reference'],
    summary: 'The feed as AsyncAPI',
    description: 'AsyncAPI 3, made from the schemas of the frames of `/ws` and `/events`.',
    response: publicResponses({ 200: feedDocumentSchema }),
  };
  let text: string | undefined;
  app.get('/asyncapi.json', { schema, config: { public: true } }, async (_request, reply) => {
    text ??= JSON.stringify(describeFeed({ examples: frames, version: manifest.version, ...options }));
    return reply
      .type('application/json; charset=utf-8')
      .serializer(String)
      .send(text as never);
  });
}

/** `GET /openapi.json` */
export function openapiRoute(app: Api): void {
  const schema = {
    operationId: 'getApiDocument',
    tags: ['reference'],
    summary: 'This document',
    description: 'OpenAPI 3.1, made from the schemas of requests and responses.',
    response: publicResponses({ 200: apiDocumentSchema }),
  };
  let text: string | undefined;
  app.get('/openapi.json', { schema, config: { public: true } }, async (_request, reply) => {
    text ??= JSON.stringify(app.swagger());
    return reply
      .type('application/json; charset=utf-8')
      .serializer(String)
      .send(text as never);
  });
}
