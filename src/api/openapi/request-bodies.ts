import type { z } from 'zod';
import { uploadOptionsSchema } from '../../contract/schemas.ts';
import type { RouteSchema } from './openapi.ts';
import { examplesTest, type OperationExample } from './operation-example.ts';
import type { schemaCollector } from './schema-collector.ts';

type Schemas = ReturnType<typeof schemaCollector>;

/** The request body of a route in each media type that it reads, with an example of each; nothing where it has none. */
export function bodyOf(
  schema: RouteSchema,
  example: OperationExample,
  schemas: Schemas,
): { requestBody?: object } {
  const { body, operationId, consumes = [] } = schema;
  if (!body) return {};
  const zods: Record<string, { schema: z.ZodType }> =
    'content' in body ? body.content : { 'application/json': { schema: body } };
  const types = [...new Set([...consumes, ...Object.keys(zods)])];
  const content = types.map((type) => {
    const value = example.body?.[type];
    if (value === undefined) {
      throw new Error(`${operationId} has no example of its body as ${type}: add it in ${examplesTest}`);
    }
    const json = zods[type] ? schemas.input(zods[type].schema) : readAsBytes(type, schemas);
    return [type, { schema: json, example: value }];
  });
  return { requestBody: { required: true, content: Object.fromEntries(content) } };
}

/** Bodies that are read without a schema of their own: the file of an upload, alone or in a form. */
function readAsBytes(type: string, schemas: Schemas): object {
  const file = {
    type: 'string',
    description: 'The CSV, UTF-8, at most 10 MiB; GET /portfolios/template.csv.',
  };
  if (type === 'text/csv') return file;
  if (type !== 'multipart/form-data') throw new Error(`Nothing says what a body of ${type} is like`);
  const options = schemas.input(uploadOptionsSchema) as { properties: object };
  return {
    type: 'object',
    properties: { file: { ...file, contentMediaType: 'text/csv' }, ...options.properties },
    required: ['file'],
    additionalProperties: false,
  };
}
