import { z } from 'zod';
import { nameOfSchema } from './schema-names.ts';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = { [keyword: string]: unknown };

/** Converts zod schemas to JSON Schemas with references to named schemas, and collects those. */
export function schemaCollector() {
  const components: Record<string, JsonSchema> = {};
  const convert = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema => {
    // Within an object a named root becomes a reference too.
    const wrapped = z.toJSONSchema(z.object({ root: schema }), {
      io,
      metadata: namedMetadata,
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => loosen(zodSchema, jsonSchema as JsonSchema),
    }) as unknown as { properties: { root: JsonSchema }; $defs?: Record<string, JsonSchema> };
    for (const [name, definition] of Object.entries(wrapped.$defs ?? {})) {
      const { id: _, ...component } = relocated(definition) as JsonSchema;
      const known = components[name];
      if (known && JSON.stringify(known) !== JSON.stringify(component)) {
        throw new Error(`The schema ${name} differs as input and output. Give one of them another name.`);
      }
      components[name] = component;
    }
    return relocated(wrapped.properties.root) as JsonSchema;
  };
  return {
    input: (schema: z.ZodType) => convert(schema, 'input'),
    output: (schema: z.ZodType) => convert(schema, 'output'),
    components: () => Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Descriptions from zod, and names from `schema-names.ts`. */
const namedMetadata = {
  get(schema: z.ZodType) {
    const id = nameOfSchema(schema);
    const described = z.globalRegistry.get(schema);
    return id === undefined ? described : { ...described, id };
  },
  has: (schema: z.ZodType) => nameOfSchema(schema) !== undefined || z.globalRegistry.has(schema),
} as unknown as typeof z.globalRegistry;

/**
 * Removes `additionalProperties: false` from responses, because they may gain fields; inputs stay closed. Also removes
 * what zod adds for JavaScript: bounds of safe integers, and patterns that repeat a format.
 */
function loosen(zodSchema: z.core.$ZodType, schema: JsonSchema): void {
  const { def } = zodSchema._zod as { def: { type: string; catchall?: z.core.$ZodType } };
  const strict = def.catchall?._zod.def.type === 'never';
  if (def.type === 'object' && !strict && schema.additionalProperties === false) {
    delete schema.additionalProperties;
  }
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (def.type === 'string') useFormat(def as StringDefinition, schema);
  if (def.type === 'record') delete schema.propertyNames; // every name is a string
}

type StringDefinition = { format?: string; pattern?: RegExp };

const formats: Record<string, string> = { uuid: 'uuid', date: 'date', datetime: 'date-time' };

/** Replaces the long pattern of a format by the format, which zod omits if there is another pattern. */
function useFormat({ format = '', pattern }: StringDefinition, schema: JsonSchema): void {
  if (!formats[format]) return;
  schema.format = formats[format];
  const patterns = (schema.allOf as JsonSchema[] | undefined) ?? [{ pattern: schema.pattern }];
  const others = patterns.filter((one) => one.pattern !== undefined && one.pattern !== pattern?.source);
  delete schema.pattern;
  delete schema.allOf;
  if (others.length === 1) schema.pattern = others[0]?.pattern;
  if (others.length > 1) schema.allOf = others;
}

const localPrefix = '#/$defs/';

function relocated(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(relocated);
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === '$ref' && typeof value === 'string' && value.startsWith(localPrefix)
        ? `#/components/schemas/${value.slice(localPrefix.length)}`
        : relocated(value),
    ]),
  );
}
