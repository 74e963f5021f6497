interface HeaderEntry {
  description: string;
  schema: object;
  example: string | number;
  /** On some of the answers that name it only. */
  optional?: true;
}

/** Every header of an answer that a client may rely on, by its name in lower case. */
export const headerCatalog: Record<string, HeaderEntry> = {
  'x-request-id': {
    description: "The request's id in the service's log: your own `x-request-id`, or a new one.",
    schema: { type: 'string', pattern: '^[\\w.-]{1,64}$' },
    example: '7f1c2a4e-8f0b-4a55-9f4e-1d7c1b1c9a10',
  },
  'x-market-data': {
    description: 'Where the figures come from; `simulated` is no market. Not told of a path that is no path.',
    schema: { type: 'string' },
    example: 'yahoo',
    optional: true,
  },
  location: {
    description: 'Where to look for what was made, or for the job that does it.',
    schema: { type: 'string', format: 'uri-reference' },
    example: '/onboarding/jobs/0199a000-0000-7000-8000-000000000002',
  },
  'www-authenticate': {
    description:
      'How to say who asks; with `error="invalid_token"` where something was shown and is not accepted.',
    schema: { type: 'string' },
    example: 'Bearer realm="symbol-onboarding", error="invalid_token"',
  },
  ratelimit: {
    description:
      'Which limit was counted against, requests left (`r`) and seconds until it begins anew (`t`).',
    schema: { type: 'string' },
    example: '"requests";r=5999;t=60',
    optional: true,
  },
  'ratelimit-policy': {
    description: 'That limit: `q` requests in `w` seconds, of one token or one address.',
    schema: { type: 'string' },
    example: '"requests";q=6000;w=60',
    optional: true,
  },
  'idempotency-replayed': {
    description: '`true` where the answer is that of an earlier request with the same `Idempotency-Key`.',
    schema: { type: 'string', const: 'true' },
    example: 'true',
    optional: true,
  },
  'retry-after': {
    description: 'Seconds to wait before trying again.',
    schema: { type: 'integer', minimum: 0 },
    example: 5,
  },
  vary: {
    description: 'The request headers that the answer depends on.',
    schema: { type: 'string' },
    example: 'accept',
  },
  upgrade: {
    description: 'The protocol to ask for.',
    schema: { type: 'string', const: 'websocket' },
    example: 'websocket',
  },
  etag: {
    description: 'Names this answer; sent as `If-None-Match` it brings 304 as long as nothing has changed.',
    schema: { type: 'string' },
    example: '"2jmj7l5rSw0yVb_vlWAYkK_YBwk"',
  },
  'cache-control': {
    description: 'Keep it for yourself, and ask whether it still holds each time.',
    schema: { type: 'string' },
    example: 'private, no-cache',
  },
  'preference-applied': {
    description:
      '`wait=N`: for how long the answer would have been held; missing where there was no room to wait.',
    schema: { type: 'string' },
    example: 'wait=30',
    optional: true,
  },
  'content-disposition': {
    description: 'The name to save the file under.',
    schema: { type: 'string' },
    example: 'attachment; filename="portfolio-template.csv"',
  },
};

const everyAnswer = ['x-request-id', 'x-market-data', 'ratelimit', 'ratelimit-policy'];
const byStatus: Record<number, string[]> = {
  401: ['www-authenticate'],
  426: ['upgrade'],
  429: ['retry-after'],
  503: ['retry-after'],
};

/** References to the headers that an answer of this status bears, `own` ones of its route included. */
export function headersOf(status: number, own: readonly string[] = []): Record<string, { $ref: string }> {
  const names = [...own, ...(byStatus[status] ?? []), ...everyAnswer];
  return Object.fromEntries(
    names.map((name) => {
      if (!headerCatalog[name])
        throw new Error(`Header ${name} is not in src/api/openapi/header-catalog.ts: describe it`);
      return [name, { $ref: `#/components/headers/${name}` }];
    }),
  );
}

/** The part of the catalogue that `document` refers to. */
export function usedHeaders(document: object): Record<string, object> {
  const text = JSON.stringify(document);
  const used = Object.entries(headerCatalog).filter(([name]) =>
    text.includes(`"#/components/headers/${name}"`),
  );
  return Object.fromEntries(
    used.map(([name, { optional = false, ...header }]) => [name, { ...header, required: !optional }]),
  );
}
