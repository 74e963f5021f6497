import swagger from '@fastify/swagger';
import manifest from '../../../package.json' with { type: 'json' };
import { apiDocumentSchema, feedDocumentSchema } from '../../contract/schemas.ts';
import type { Api } from '../http/fastify.types.ts';
import { describeFeed } from './asyncapi.ts';
import { publicResponses } from './declared-responses.ts';
import frames from './examples/frames.json' with { type: 'json' };
import examples from './examples/operations.json' with { type: 'json' };
import problems from './examples/problems.json' with { type: 'json' };
import { type DescribedRoute, describeApi, type RouteSchema } from './openapi.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route that the API document describes. */
    describedRoutes: readonly DescribedRoute[];
  }
}

/**
 * Collects every route that is declared after it. They are described when the document is first asked for: the start
 * does not wait for it.
 */
export function describeRoutes(app: Api, options: { protected: boolean }): void {
  const routes: DescribedRoute[] = [];
  app.decorate('describedRoutes', routes);
  app.addHook('onRoute', ({ method, url, schema = {}, config = {} }) => {
    if (method === 'HEAD' || ('hide' in schema && schema.hide)) return;
    routes.push({ method, url, schema: schema as RouteSchema, config });
  });
  // Serves the document to the reference page. Its own conversion loses what 3.1 can say and 3.0 could not.
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
    description: 'AsyncAPI 3, made from the schemas of the frames that `/ws` and `/events` carry.',
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
    description: 'OpenAPI 3.1, made from the schemas that requests and answers are held to.',
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
