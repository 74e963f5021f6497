import type { z } from 'zod';
import { type AnswerNotes, notesOf, problemType } from '../problems/declared-responses.ts';
import type { DescribedRoute } from '../problems/described-route.ts';
import { problemCatalog } from '../problems/problem-catalog.ts';
import { ifNoneMatch, isRevalidated, notModified } from './conditional-requests.ts';
import { documentBase, securityOf } from './document-base.ts';
import { headersOf, usedHeaders } from './header-catalog.ts';
import { examplesTest, type OperationExample } from './operation-example.ts';
import { parametersOf, pathOf } from './parameters.ts';
import { problemExamples } from './problem-examples.ts';
import { bodyOf } from './request-bodies.ts';
import { schemaCollector } from './schema-collector.ts';

export interface ApiDescription {
  routes: readonly DescribedRoute[];
  /** By operation id. */
  examples: Readonly<Record<string, OperationExample>>;
  /** A problem of each code. */
  problems: Readonly<Record<string, object>>;
  version: string;
  /** Whether the service has tokens. */
  protected: boolean;
}

type Operation = Record<string, unknown>;
type Collector = ReturnType<typeof schemaCollector>;

/**
 * The OpenAPI 3.1 document of these routes.
 *
 * Throws if a route lacks an operation id, a summary, a description, or an example of each body and response. The
 * message tells the author of the route what to add, and where.
 */
export function describeApi(description: ApiDescription) {
  const schemas = schemaCollector();
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of description.routes) {
    const path = pathOf(route.url);
    const operation = describeOperation(route, { ...description, schemas });
    for (const method of [route.method].flat()) {
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation };
    }
  }
  const codes = new Set(description.routes.flatMap(({ schema }) => notesOf(schema.response ?? {}).problems));
  const { components, ...base } = documentBase(description);
  return {
    ...base,
    paths,
    components: {
      ...components,
      schemas: schemas.components(),
      headers: usedHeaders(paths),
      examples: problemExamples([...codes], description.problems),
    },
  };
}

export type ApiDocument = ReturnType<typeof describeApi>;

interface OperationContext extends ApiDescription {
  schemas: Collector;
}

function describeOperation(route: DescribedRoute, context: OperationContext): Operation {
  const { schema } = route;
  const { operationId, tags, summary, description } = schema;
  if (!operationId || !summary || !description || !tags?.length || !schema.response) {
    const name = `${[route.method].flat().join(', ')} ${route.url}`;
    throw new Error(`${name}: its schema needs operationId, tags, summary, description and response`);
  }
  const example = context.examples[operationId];
  if (!example) throw new Error(`${operationId} has no example: add one in ${examplesTest}`);
  const notes = notesOf(schema.response);
  const revalidated = isRevalidated(route);
  const parameters = [
    ...parametersOf({ ...route.config, ...schema }, example, context.schemas),
    ...(revalidated ? [ifNoneMatch] : []),
  ];
  return {
    operationId,
    tags,
    summary,
    description,
    ...securityOf(route, notes.problems, context),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...bodyOf(schema, example, context.schemas),
    responses: Object.fromEntries([
      ...Object.entries(schema.response).map(([status, answer]) => [
        status,
        isProblem(answer)
          ? problemAnswer(
              { status: Number(status), schema: answer.content[problemType].schema, notes },
              context.schemas,
            )
          : successAnswer(
              route,
              { status: Number(status), schema: answer as z.ZodType, example, notes },
              context,
            ),
      ]),
      ...(revalidated ? [['304', notModified]] : []),
    ]),
  };
}

type ProblemAnswer = { content: { [problemType]: { schema: z.ZodType } } };

function isProblem(answer: unknown): answer is ProblemAnswer {
  const { content } = answer as { content?: object };
  return content !== undefined && problemType in content;
}

interface Success {
  status: number;
  schema: z.ZodType;
  example: OperationExample;
  notes: AnswerNotes;
}

/** The description of a response whose schema has none. */
const statusTitles: Record<number, string> = {
  101: 'The connection is a WebSocket from here on.',
  200: 'The response.',
  201: 'Done.',
  202: 'Accepted; the work continues in the background.',
  204: 'Done.',
  304: 'Not modified since the response with that `ETag`.',
};

function successAnswer(route: DescribedRoute, success: Success, { schemas }: OperationContext): Operation {
  const { status, schema, example, notes } = success;
  const { operationId = '' } = route.schema;
  const { description, ...json } = schemas.output(schema);
  const kept = status === 200 && isRevalidated(route) ? ['etag', 'cache-control'] : [];
  const head = {
    description: description ?? statusTitles[status] ?? 'The response.',
    headers: headersOf(status, [...(notes.headers[status] ?? []), ...kept]),
  };
  if (json.type === 'null') return head;
  if (json.type === 'object') {
    throw new Error(
      `${operationId}: name the schema of its answer ${status} in src/api/openapi/schema-names.ts`,
    );
  }
  const value = example.answers?.[status];
  if (value === undefined) {
    throw new Error(`${operationId} has no example of its answer ${status}: add it in ${examplesTest}`);
  }
  const types = route.config.produces ?? ['application/json'];
  const content = types.map((type) => [
    type,
    type === 'text/html'
      ? { schema: { type: 'string' }, example: example.pages?.[status] }
      : { schema: json, example: value },
  ]);
  return { ...head, content: Object.fromEntries(content) };
}

interface Problems {
  status: number;
  schema: z.ZodType;
  notes: AnswerNotes;
}

function problemAnswer({ status, schema, notes }: Problems, schemas: Collector): Operation {
  const codes = notes.problems.filter((code) => problemCatalog[code].status === status);
  return {
    description: codes.map((code) => `\`${code}\`: ${problemCatalog[code].title}.`).join(' '),
    headers: headersOf(status, notes.headers[status]),
    content: {
      [problemType]: {
        schema: schemas.output(schema),
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  };
}
