import type { z } from 'zod';
import { uploadOptionsSchema } from '../../contract/schemas.ts';
import type { RouteSchema } from '../problems/described-route.ts';
import { examplesTest, type OperationExample } from './operation-example.ts';
import type { schemaCollector } from './schema-collector.ts';

type Schemas = ReturnType<typeof schemaCollector>;

/** The request body of a route in each media type, with an example of each; empty without a body. */
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

/** Bodies without a schema: the file of an upload, alone or in a form. */
function readAsBytes(type: string, schemas: Schemas): object {
  const file = {
    type: 'string',
    description: 'CSV in UTF-8, at most 10 MiB. For a template: GET /portfolios/template.csv.',
  };
  if (type === 'text/csv') return file;
  if (type !== 'multipart/form-data') throw new Error(`A body of type ${type} needs a schema`);
  const options = schemas.input(uploadOptionsSchema) as { properties: object };
  return {
    type: 'object',
    properties: { file: { ...file, contentMediaType: 'text/csv' }, ...options.properties },
    required: ['file'],
    additionalProperties: false,
  };
}
