import type { ApiReader, Operation } from './api-document.ts';

/** Headers of HTTP itself, and those by which pages are protected: they are not told of each operation. */
const ofEveryAnswer: readonly RegExp[] = [
  /^(date|connection|keep-alive|transfer-encoding|content-type|content-length|cache-control|vary|x-accel-buffering)$/,
  /^(access-control|cross-origin|x-content-type|x-dns-prefetch|x-download|x-frame|x-permitted|x-xss)-/,
  /^(content-security-policy|origin-agent-cluster|referrer-policy|strict-transport-security)$/,
];

/** What of an answer the document does not say, one sentence each. */
export async function breaches(
  response: Response,
  operation: Operation,
  reader: ApiReader,
): Promise<string[]> {
  const { operationId, responses } = operation;
  const text = await textOf(response);
  const { status, headers } = response;
  const said = responses[status];
  const evidence = `${operationId} answered ${status}: ${text.slice(0, 500)}`;
  if (!said) return [`The status is not documented: ${evidence}`];
  return [
    ...(status === 500 ? [`Something is broken: ${evidence}`] : []),
    ...headerBreaches(headers, said.headers ?? {}, reader).map((breach) => `${breach}: ${evidence}`),
    ...bodyBreaches(text, headers.get('content-type'), said.content, reader).map(
      (breach) => `${breach}: ${evidence}`,
    ),
  ];
}

/** All of an answer; of one that never ends, what comes first. */
async function textOf(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response.text();
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}

function headerBreaches(
  came: Headers,
  said: Record<string, { $ref: string }>,
  { header, wrong }: ApiReader,
): string[] {
  const unsaid = [...came.keys()].filter(
    (name) => !(name in said) && !ofEveryAnswer.some((known) => known.test(name)),
  );
  const bad = Object.entries(said).flatMap(([name, { $ref }]) => {
    const { required, schema } = header($ref);
    const value = came.get(name);
    if (value === null) return required ? [`The header ${name} is missing`] : [];
    const error = wrong(schema, schema.type === 'integer' ? Number(value) : value);
    return error === null ? [] : [`The header ${name} is not as documented (${error})`];
  });
  return [...unsaid.map((name) => `The header ${name} is not documented`), ...bad];
}

type Content = Operation['responses'][string]['content'];

function bodyBreaches(
  text: string,
  contentType: string | null,
  said: Content,
  { wrong }: ApiReader,
): string[] {
  if (said === undefined) return text === '' ? [] : ['A body came and none is documented'];
  const type = contentType?.split(';')[0] ?? '';
  const media = said[type];
  if (!media) return [`The content type ${type} is not documented`];
  const error = wrong(media.schema, type.endsWith('json') ? JSON.parse(text) : text);
  return error === null ? [] : [`The body is not as documented (${error})`];
}
