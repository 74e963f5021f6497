import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Resolve, Schema } from './arbitraries.ts';

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Schema;
  example?: unknown;
}

interface Answer {
  headers?: Record<string, { $ref: string }>;
  content?: Record<string, { schema: Schema; example?: unknown }>;
}

export interface Operation {
  operationId: string;
  method: string;
  path: string;
  parameters: Parameter[];
  body: Record<string, { schema: Schema; example: unknown }>;
  responses: Record<string, Answer>;
}

/** What a client reads of the API document: its operations, and whether a value is what it says. */
export interface ApiReader {
  operations: Operation[];
  resolve: Resolve;
  /** What is wrong with a value; null where nothing is. */
  wrong(schema: Schema, value: unknown): string | null;
  header(ref: string): { required: boolean; schema: Schema };
}

export async function readDocument(url: string): Promise<ApiReader> {
  // biome-ignore lint/suspicious/noExplicitAny: a document from outside
  const document = closed(await (await fetch(`${url}/openapi.json`)).json()) as any;
  const at = (ref: string) =>
    ref
      .slice(2)
      .split('/')
      .reduce((node, name) => node[name], document);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods as object).map(([method, operation]) => ({
      parameters: [],
      ...operation,
      method: method.toUpperCase(),
      path,
      body: operation.requestBody?.content ?? {},
    })),
  );
  return { operations, resolve: at, wrong: validator(document), header: at };
}

/** Objects of answers are open in the document, so that they may gain fields; a test wants to hear of each. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (node === null || typeof node !== 'object') return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  const isSchema = copy.type === 'object' && typeof copy.properties === 'object';
  return isSchema && !('additionalProperties' in copy) ? { ...copy, additionalProperties: false } : copy;
}

function validator({ components }: { components: object }): ApiReader['wrong'] {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, validateFormats: true, allErrors: false });
  addFormats.default(ajv);
  ajv.addVocabulary(['components']);
  ajv.addSchema({ $id: 'api:document', components });
  const compiled = new Map<Schema, ValidateFunction>();
  return (schema, value) => {
    const known = compiled.get(schema) ?? ajv.compile(relocated(schema) as Schema);
    compiled.set(schema, known);
    return known(value) ? null : `${ajv.errorsText(known.errors)} in ${JSON.stringify(value)?.slice(0, 500)}`;
  };
}

function relocated(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(relocated);
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === '$ref' ? `api:document${value}` : relocated(value),
    ]),
  );
}
