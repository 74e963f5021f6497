import { z } from 'zod';
import type { RouteSchema } from '../problems/described-route.ts';
import type { OperationExample } from './operation-example.ts';
import type { schemaCollector } from './schema-collector.ts';

type Schemas = ReturnType<typeof schemaCollector>;

/** A path in the syntax of OpenAPI: `/portfolios/:id` becomes `/portfolios/{id}`. */
export function pathOf(url: string): string {
  return url.replace(/:(\w+)/g, '{$1}');
}

/** The parameters of a route, each with its description and the example's value, if it has one. */
export function parametersOf(schema: RouteSchema, example: OperationExample, schemas: Schemas): object[] {
  const places = [
    ['path', schema.params],
    ['query', schema.querystring],
    ['header', schema.headers],
  ] as const;
  return places.flatMap(([place, object]) => {
    if (!(object instanceof z.ZodObject)) return [];
    const { required = [] } = z.toJSONSchema(object, { io: 'input', unrepresentable: 'any' });
    return Object.entries(object.shape as Record<string, z.ZodType>).map(([name, field]) => {
      const value = example.parameters?.[name];
      return {
        name,
        in: place,
        required: required.includes(name),
        ...parameterSchema(field, schemas),
        ...(value === undefined ? {} : { example: value }),
      };
    });
  });
}

function parameterSchema(field: z.ZodType, schemas: Schemas): object {
  const { description, ...schema } = schemas.input(field);
  const list = listWithin(field);
  const described = description === undefined ? {} : { description };
  if (list === null) return { ...described, schema };
  // A list in one parameter, separated by commas.
  return { ...described, schema: schemas.input(list), style: 'form', explode: false };
}

/** The array schema of a parameter that is a list separated by commas, else null. */
function listWithin(field: z.ZodType): z.ZodArray | null {
  if (field instanceof z.ZodOptional || field instanceof z.ZodDefault)
    return listWithin(field.unwrap() as z.ZodType);
  if (!(field instanceof z.ZodPipe)) return null;
  return field.out instanceof z.ZodArray ? field.out : null;
}
