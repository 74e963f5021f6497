interface HeaderEntry {
  description: string;
  schema: object;
  example: string | number;
  /** Not on every response that lists it. */
  optional?: true;
}

/** Every response header that clients may rely on, by its name in lower case. */
export const headerCatalog: Record<string, HeaderEntry> = {
  'x-request-id': {
    description: 'The id of the request in the log of the service: your own `x-request-id`, or a new one.',
    schema: { type: 'string', pattern: '^[\\w.-]{1,64}$' },
    example: '7f1c2a4e-8f0b-4a55-9f4e-1d7c1b1c9a10',
  },
  'x-market-data': {
    description: 'Source of the market data; `simulated` means invented. Absent on unknown paths.',
    schema: { type: 'string' },
    example: 'yahoo',
    optional: true,
  },
  location: {
    description: 'The path of the created resource, or of the job that creates it.',
    schema: { type: 'string', format: 'uri-reference' },
    example: '/onboarding/jobs/0199a000-0000-7000-8000-000000000002',
  },
  'www-authenticate': {
    description: 'How to authenticate; with `error="invalid_token"` if the token or ticket is invalid.',
    schema: { type: 'string' },
    example: 'Bearer realm="symbol-onboarding", error="invalid_token"',
  },
  ratelimit: {
    description: 'The rate limit that applies, requests left (`r`), and seconds until it resets (`t`).',
    schema: { type: 'string' },
    example: '"requests";r=5999;t=60',
    optional: true,
  },
  'ratelimit-policy': {
    description: 'That rate limit: `q` requests in `w` seconds per token or address.',
    schema: { type: 'string' },
    example: '"requests";q=6000;w=60',
    optional: true,
  },
  'idempotency-replayed': {
    description: '`true` if this is the response to an earlier request with the same `Idempotency-Key`.',
    schema: { type: 'string', const: 'true' },
    example: 'true',
    optional: true,
  },
  'retry-after': {
    description: 'Seconds to wait before a retry.',
    schema: { type: 'integer', minimum: 0 },
    example: 5,
  },
  vary: {
    description: 'The request headers that the response depends on.',
    schema: { type: 'string' },
    example: 'accept',
  },
  upgrade: {
    description: 'The protocol to upgrade to.',
    schema: { type: 'string', const: 'websocket' },
    example: 'websocket',
  },
  etag: {
    description:
      'Version of this response. Sent as `If-None-Match`, the response is 304 while nothing changes.',
    schema: { type: 'string' },
    example: '"2jmj7l5rSw0yVb_vlWAYkK_YBwk"',
  },
  'cache-control': {
    description: 'May be stored by the client, but must be revalidated each time.',
    schema: { type: 'string' },
    example: 'private, no-cache',
  },
  'preference-applied': {
    description:
      '`wait=N`: the longest time that the response was held. Absent if too many requests wait already.',
    schema: { type: 'string' },
    example: 'wait=30',
    optional: true,
  },
  'content-disposition': {
    description: 'The file name.',
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

/** References to the headers of a response with this status, including the `own` ones of its route. */
export function headersOf(status: number, own: readonly string[] = []): Record<string, { $ref: string }> {
  const names = [...own, ...(byStatus[status] ?? []), ...everyAnswer];
  return Object.fromEntries(
    names.map((name) => {
      if (!headerCatalog[name])
        throw new Error(`Header ${name} is not in src/api/openapi/header-catalog.ts. Describe it there.`);
      return [name, { $ref: `#/components/headers/${name}` }];
    }),
  );
}

/** The entries of the catalog that `document` refers to. */
export function usedHeaders(document: object): Record<string, object> {
  const text = JSON.stringify(document);
  const used = Object.entries(headerCatalog).filter(([name]) =>
    text.includes(`"#/components/headers/${name}"`),
  );
  return Object.fromEntries(
    used.map(([name, { optional = false, ...header }]) => [name, { ...header, required: !optional }]),
  );
}
