import { createConfig, lintFromString } from '@redocly/openapi-core';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import recorded from '../../../src/api/openapi/examples/operations.json' with { type: 'json' };
import { headerCatalog } from '../../../src/api/openapi/header-catalog.ts';
import { type ApiDescription, type ApiDocument, describeApi } from '../../../src/api/openapi/openapi.ts';
import type { OperationExample } from '../../../src/api/openapi/operation-example.ts';
import { responses } from '../../../src/api/problems/declared-responses.ts';
import { idSchema, jobSchema } from '../../../src/contract/schemas.ts';
import { ask, serve } from '../serve.ts';

const examples: Record<string, OperationExample> = recorded;
const { server } = await serve();
await server.ready();
const routes = [...server.describedRoutes];

// A WebSocket succeeds with 101: the rule knows no other success than 2xx.
const excepted = ['~1ws', '~1ws~1inspect'].map((path) => ({
  ruleId: 'operation-2xx-response',
  pointer: `#/paths/${path}/get/responses`,
}));

async function lint(document: object): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended'] });
  const problems = await lintFromString({ source: JSON.stringify(document), config });
  return problems
    .map(({ ruleId, message, location }) => ({ ruleId, message, pointer: location[0]?.pointer }))
    .filter(
      ({ ruleId, pointer }) =>
        !excepted.some((exception) => exception.ruleId === ruleId && exception.pointer === pointer),
    )
    .map(({ ruleId, message, pointer }) => `${ruleId} at ${pointer}: ${message}`);
}

describe('the API document', () => {
  test('is valid OpenAPI 3.1', async () => {
    const { url } = await serve();
    const { status, headers, body } = await ask(`${url}/openapi.json`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(body.openapi).toBe('3.1.1');
    expect(await lint(body)).toEqual([]);
  });

  test('describes every route: a new one needs an example in test/end-to-end/examples.test.ts', () => {
    // Throws a sentence that says what is missing, and where.
    const { paths } = server.swagger() as unknown as ApiDocument;
    const described = Object.values(paths).flatMap((path) => Object.keys(path));
    expect(described).toHaveLength(routes.length);
    const operationIds = routes.map(({ schema }) => schema.operationId);
    expect(new Set(operationIds).size).toBe(routes.length);
    expect(Object.keys(examples).filter((id) => !operationIds.includes(id))).toEqual([]);
  });

  test('names each header of an answer once', () => {
    const { components } = server.swagger() as unknown as ApiDocument;
    expect(Object.keys(headerCatalog).filter((name) => !(name in components.headers))).toEqual([]);
  });
});

describe('an example', () => {
  test.each(routes.map((route) => [route.schema.operationId!, route.schema] as const))(
    'of %s is what the route takes and answers',
    (operationId, schema) => {
      const { parameters = {}, body = {}, answers = {} } = examples[operationId]!;
      const taken = { ...shapeOf(schema.params), ...shapeOf(schema.querystring), ...shapeOf(schema.headers) };
      for (const [name, value] of Object.entries(parameters)) {
        expect(taken, `${operationId} takes no parameter ${name}`).toHaveProperty([name]);
        expect(() =>
          taken[name]!.parse(Array.isArray(value) ? value.join(',') : String(value)),
        ).not.toThrow();
      }
      const bodies = schema.body && 'content' in schema.body ? schema.body.content : {};
      for (const [type, { schema: taken }] of Object.entries(bodies)) taken.parse(body[type]);
      for (const [status, value] of Object.entries(answers)) {
        const answer = (schema.response as Record<string, z.ZodType>)[status];
        expect(answer, `${operationId} answers no ${status}`).toBeDefined();
        answer!.parse(value);
      }
    },
  );
});

const shapeOf = (schema: unknown) => (schema as z.ZodObject | undefined)?.shape ?? {};

describe('describeApi', () => {
  const route = {
    method: 'GET',
    url: '/jobs/:id',
    schema: {
      operationId: 'getOne',
      tags: ['onboarding'],
      summary: 'One',
      description: 'One of them.',
      response: responses({ 200: jobSchema }, ['job_not_found', 'operators_only'], { 200: ['location'] }),
    },
    config: {},
  };
  const describeOne = (changes: object, description: Partial<ApiDescription> = {}) =>
    describeApi({
      routes: [{ ...route, schema: { ...route.schema, ...changes } }],
      examples: { getOne: { answers: { 200: {} } } },
      problems: {},
      version: '1.0.0',
      protected: false,
      ...description,
    });

  test.each([
    ['an operation id', { operationId: undefined }, {}, /GET \/jobs\/:id: its schema needs operationId/],
    ['an example', {}, { examples: {} }, /getOne has no example: add one in test\/end-to-end/],
    ['an example of an answer', {}, { examples: { getOne: {} } }, /getOne has no example of its answer 200/],
    [
      'an example of its body',
      { body: jobSchema },
      {},
      /getOne has no example of its body as application\/json/,
    ],
    ['a name for its answer', { response: { 200: jobSchema.pick({ job_id: true }) } }, {}, /name the schema/],
    [
      'a description of its headers',
      { response: responses({ 200: jobSchema }, [], { 200: ['x-new'] }) },
      {},
      /Header x-new is not in src\/api\/openapi\/header-catalog.ts/,
    ],
  ])('asks the author of a route for %s', (_, changes, description, message) => {
    expect(() => describeOne(changes, description)).toThrow(message);
  });

  test('says who may ask, where the service asks for tokens', () => {
    const open = describeOne({});
    expect(open.security).toEqual([]);
    expect(open.components).not.toHaveProperty('securitySchemes');
    const closed = describeOne({}, { protected: true });
    expect(closed.security).toEqual([{ bearer: [] }]);
    expect(closed.paths['/jobs/{id}']!.get).toMatchObject({ 'x-roles': ['operator'] });
    expect(closed.paths['/jobs/{id}']!.get).not.toHaveProperty('security');
    const open401 = describeOne({}, { protected: true, routes: [{ ...route, config: { public: true } }] });
    expect(open401.paths['/jobs/{id}']!.get).toMatchObject({ security: [] });
  });

  test('tells from which media types and headers an answer is made', () => {
    const { paths } = describeOne(
      {},
      { routes: [{ ...route, config: { produces: ['text/html', 'application/json'] } }] },
    );
    expect(paths['/jobs/{id}']!.get).toMatchObject({
      responses: {
        200: {
          headers: { location: { $ref: '#/components/headers/location' } },
          content: { 'text/html': {}, 'application/json': {} },
        },
        404: {
          content: {
            'application/problem+json': {
              schema: { $ref: '#/components/schemas/Problem' },
              examples: { job_not_found: { $ref: '#/components/examples/job_not_found' } },
            },
          },
        },
      },
    });
  });

  test('writes a parameter once, as what it is', () => {
    const { paths } = describeOne({ params: jobSchema.pick({ job_id: true }), querystring: undefined });
    expect(paths['/jobs/{id}']!.get).toMatchObject({
      parameters: [
        {
          name: 'job_id',
          in: 'path',
          required: true,
          description: idSchema.description,
          schema: { type: 'string', format: 'uuid' },
        },
        { name: 'if-none-match', in: 'header', required: false },
      ],
    });
  });
});
