import type { z } from 'zod';
import { problemSchema } from '../../contract/schemas.ts';
import { type ProblemCode, problemCatalog } from './problem-catalog.ts';

export const problemType = 'application/problem+json';

/** Problems that any route may return. */
const everywhere: ProblemCode[] = [
  'malformed_request',
  'not_acceptable',
  'uri_too_long',
  'invalid_request',
  'rate_limited',
  'internal_error',
  'temporarily_unavailable',
];

/** Problems of requests that change something, found before the handler runs. */
export const changeProblems = [
  'cross_origin',
  'malformed_json',
  'payload_too_large',
  'unsupported_media_type',
  'unsupported_charset',
  'unsupported_encoding',
] as const satisfies ProblemCode[];

interface ProblemResponse {
  description: string;
  content: { 'application/problem+json': { schema: typeof problemSchema } };
}

/** What the API reference says about the responses of a route, besides their schemas. */
export interface AnswerNotes {
  problems: readonly ProblemCode[];
  /** Names of headers in lower case, by the status of their responses. */
  headers: Readonly<Record<number, readonly string[]>>;
}

const notes = new WeakMap<object, AnswerNotes>();

/** The notes that `responses` stored for the object it returned. */
export function notesOf(response: object): AnswerNotes {
  return notes.get(response) ?? { problems: [], headers: {} };
}

/**
 * The `response` of a route's schema: its responses, the codes of its problems, and by status the headers of its own.
 * Headers of every response are not repeated.
 *
 *     schema: { response: responses({ 202: jobSchema }, ['job_not_found'], { 202: ['location'] }) }
 */
export function responses<const Answers extends Record<number, z.ZodType>>(
  answers: Answers,
  problems: readonly ProblemCode[] = [],
  headers: AnswerNotes['headers'] = {},
): Answers {
  return documented(answers, ['unauthenticated', ...problems], headers);
}

/** The same for a public route. */
export function publicResponses<const Answers extends Record<number, z.ZodType>>(
  answers: Answers,
  problems: readonly ProblemCode[] = [],
  headers: AnswerNotes['headers'] = {},
): Answers {
  return documented(answers, problems, headers);
}

function documented<const Answers extends Record<number, z.ZodType>>(
  answers: Answers,
  problems: readonly ProblemCode[],
  headers: AnswerNotes['headers'],
): Answers {
  const codes = [...new Set([...everywhere, ...problems])];
  const statuses = [...new Set(codes.map((code) => problemCatalog[code].status))];
  const documented = statuses.map((status): [number, ProblemResponse] => {
    const titles = codes
      .filter((code) => problemCatalog[code].status === status)
      .map((code) => `${code}: ${problemCatalog[code].title}`);
    return [
      status,
      { description: titles.join('. '), content: { [problemType]: { schema: problemSchema } } },
    ];
  });
  // Handlers throw problems, so the return type has the other responses only.
  const response = { ...Object.fromEntries(documented), ...answers };
  notes.set(response, { problems: codes, headers });
  return response;
}
