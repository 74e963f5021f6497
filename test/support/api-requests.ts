import fc from 'fast-check';
import type { ApiReader, Operation, Parameter } from './api-document.ts';
import { arbitraryOf, mistakes, type Schema } from './arbitraries.ts';

export interface ApiRequest {
  operation: Operation;
  /** By name, as text; what is left out is not sent. */
  parameters: Record<string, string>;
  /** Parameters of the query that the document does not have. */
  extra: Record<string, string>;
  body?: { type: string; value: unknown };
  /** In place of what the type and the value would make. */
  raw?: { type: string; bytes: string };
}

/** Values of things that exist: for a parameter's name, and the first part of the path. */
export type Seeds = (operation: Operation, parameter: string) => readonly string[];

/** Requests that the document allows, half of them about things that exist. */
export function validRequests(operation: Operation, { resolve, wrong }: ApiReader, seeds: Seeds) {
  const parameters = operation.parameters.map((parameter) => {
    const generated = arbitraryOf(parameter.schema, resolve).filter(
      (value) => wrong(parameter.schema, value) === null,
    );
    const seeded = seeds(operation, parameter.name);
    const value = seeded.length > 0 ? fc.oneof(fc.constantFrom(...seeded), generated) : generated;
    const text = value.map(asText).filter((one) => canBeSent(parameter, one));
    return fc.tuple(
      fc.constant(parameter.name),
      parameter.required ? text : fc.option(text, { nil: undefined }),
    );
  });
  return fc.tuple(fc.tuple(...parameters), bodies(operation, resolve)).map(
    ([given, body]): ApiRequest => ({
      operation,
      parameters: present(given),
      extra: {},
      ...(body && { body }),
    }),
  );
}

/** The document's own examples, about things that exist: one for each media type of the body. */
export function exampleRequests(operation: Operation, seeds: Seeds): ApiRequest[] {
  const values = operation.parameters.flatMap(({ name, example }) => {
    const value = seeds(operation, name)[0] ?? example;
    return value === undefined ? [] : [[name, asText(value)] as const];
  });
  const request = { operation, parameters: Object.fromEntries(values), extra: {} };
  const bodies = Object.entries(operation.body);
  if (bodies.length === 0) return [request];
  return bodies.map(([type, { example }]) => ({ ...request, body: { type, value: example } }));
}

const present = (given: [string, string | undefined][]) =>
  Object.fromEntries(given.filter((pair): pair is [string, string] => pair[1] !== undefined));

const asText = (value: unknown) => (Array.isArray(value) ? value.join(',') : String(value));

function bodies({ body }: Operation, resolve: ApiReader['resolve']): fc.Arbitrary<ApiRequest['body'] | null> {
  const types = Object.entries(body);
  if (types.length === 0) return fc.constant(null);
  return fc.oneof(
    ...types.map(([type, { schema, example }]) =>
      fc
        .oneof(fc.constant(example), arbitraryOf(schema, resolve), patched(example, schema, resolve))
        .map((value) => ({ type, value })),
    ),
  );
}

/** The example with some of its fields drawn anew: random ones alone would seldom get past the first check. */
function patched(example: unknown, schema: Schema, resolve: ApiReader['resolve']): fc.Arbitrary<unknown> {
  if (typeof example !== 'object' || example === null) return fc.constant(example);
  return arbitraryOf(schema, resolve).chain((drawn) =>
    fc.subarray(Object.keys(drawn as object)).map((names) => ({
      ...example,
      ...Object.fromEntries(names.map((name) => [name, (drawn as Record<string, unknown>)[name]])),
    })),
  );
}

/** One thing wrong about an otherwise allowed request: what the document does not allow there. */
export function invalidRequests(
  operation: Operation,
  reader: ApiReader,
  seeds: Seeds,
): fc.Arbitrary<ApiRequest> | null {
  const valid = validRequests(operation, reader, seeds);
  const wrongValues = operation.parameters
    .filter((parameter) => refusesSomething(parameter))
    .map((parameter) =>
      fc
        .tuple(
          valid,
          mistakes
            .filter((text) => canBeSent(parameter, text))
            .filter((text) => !fits(parameter, text, reader)),
        )
        .map(([request, text]) => with_(request, parameter.name, text)),
    );
  const missing = operation.parameters
    .filter(({ required, in: place }) => required && place === 'query')
    .map(({ name }) => valid.map((request) => without(request, name)));
  const extra = takesQuery(operation)
    ? [
        fc
          .tuple(valid, fc.stringMatching(/^zz[a-z]{1,6}$/))
          .map(([request, name]) => ({ ...request, extra: { [name]: '1' } })),
      ]
    : [];
  const all = [...wrongValues, ...missing, ...extra, ...wrongBodies(operation, valid, reader)];
  return all.length > 0 ? fc.oneof(...all) : null;
}

/** A path without one of its parts, or with a step up, is another path; a header is printable ASCII, not padded. */
function canBeSent({ in: place }: Parameter, text: string): boolean {
  if (place === 'header') return /^[!-~]([ -~]*[!-~])?$/.test(text);
  return place !== 'path' || !['', '.', '..'].includes(text);
}

const takesQuery = ({ parameters }: Operation) => parameters.some(({ in: place }) => place === 'query');
const refusesSomething = ({ schema }: Parameter) =>
  ['pattern', 'format', 'enum', 'minimum', 'maximum', 'items', 'maxLength', 'minLength', 'allOf'].some(
    (keyword) => keyword in schema,
  );

const with_ = (request: ApiRequest, name: string, text: string): ApiRequest => ({
  ...request,
  parameters: { ...request.parameters, [name]: text },
});

function without(request: ApiRequest, name: string): ApiRequest {
  const { [name]: _, ...parameters } = request.parameters;
  return { ...request, parameters };
}

/** Whether a text is what the document allows for a parameter, read as its type. Spaces around it may be ignored. */
function fits({ schema }: Parameter, text: string, { wrong }: ApiReader): boolean {
  const read = (text: string): unknown => {
    if (schema.type === 'integer' || schema.type === 'number') return Number(text);
    if (schema.type === 'array') return text.split(',');
    return text;
  };
  return [text, text.trim()].some((one) => wrong(schema, read(one)) === null);
}

function wrongBodies(
  { body }: Operation,
  valid: fc.Arbitrary<ApiRequest>,
  { wrong }: ApiReader,
): fc.Arbitrary<ApiRequest>[] {
  const json = body['application/json'];
  if (!json) return [];
  const values = fc.jsonValue().filter((value) => wrong(json.schema, value) !== null);
  const example = json.example as Record<string, unknown>;
  const mutated = fc
    .tuple(fc.constantFrom(...Object.keys(example), 'zzz'), fc.jsonValue())
    .map(([name, value]) => ({ ...example, [name]: value }))
    .filter((value) => wrong(json.schema, value) !== null);
  const raw = fc.constantFrom(
    { type: 'application/json', bytes: '{"name": ' },
    { type: 'application/json', bytes: '' },
    { type: 'application/json; charset=latin1', bytes: '{}' },
    { type: 'application/xml', bytes: '<a/>' },
    { type: 'multipart/form-data', bytes: 'no boundary' },
    { type: 'multipart/form-data; boundary=x', bytes: '--x\r\n' },
  );
  return [
    fc
      .tuple(valid, fc.oneof(values, mutated))
      .map(([request, value]) => ({ ...request, body: { type: 'application/json', value } })),
    fc.tuple(valid, raw).map(([request, one]) => ({ ...request, raw: one })),
  ];
}

/** Sends a request as a client made from the document would. */
export async function send(url: string, request: ApiRequest): Promise<Response> {
  const { operation, parameters, extra, body, raw } = request;
  const of = (place: Parameter['in']) =>
    operation.parameters.filter(({ name, in: where }) => where === place && name in parameters);
  const path = of('path').reduce(
    (text, { name }) => text.replace(`{${name}}`, encode(parameters[name]!)),
    operation.path,
  );
  const query = [...of('query').map(({ name }) => [name, parameters[name]!]), ...Object.entries(extra)];
  const search = query.map(([name, value]) => `${name}=${encode(value!)}`).join('&');
  const headers = Object.fromEntries(of('header').map(({ name }) => [name, parameters[name]!]));
  return fetch(`${url}${path}${search && `?${search}`}`, {
    method: operation.method,
    headers: { ...headers, ...(raw ? { 'content-type': raw.type } : body && typeHeader(body.type)) },
    ...(raw ? { body: raw.bytes } : body && { body: encodeBody(body) }),
    redirect: 'manual',
  });
}

// A lone surrogate has no UTF-8; a client would send its replacement.
const encode = (text: string) => encodeURIComponent(text.toWellFormed());

// The boundary of a form is fetch's to choose.
const typeHeader = (type: string) => (type === 'multipart/form-data' ? {} : { 'content-type': type });

function encodeBody({ type, value }: NonNullable<ApiRequest['body']>): string | FormData {
  if (type === 'application/json') return JSON.stringify(value);
  if (type !== 'multipart/form-data') return String(value);
  const form = new FormData();
  for (const [name, field] of Object.entries(value as Record<string, string>)) {
    form.append(name, name === 'file' ? new Blob([field], { type: 'text/csv' }) : field);
  }
  return form;
}
