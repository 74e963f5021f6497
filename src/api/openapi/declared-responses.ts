import type { z } from 'zod';
import { problemSchema } from '../../contract/schemas.ts';
import { type ProblemCode, problemCatalog } from '../problems/problem-catalog.ts';

export const problemType = 'application/problem+json';

/** What any route may answer, whatever it does. */
const everywhere: ProblemCode[] = [
  'malformed_request',
  'not_acceptable',
  'uri_too_long',
  'invalid_request',
  'rate_limited',
  'internal_error',
  'temporarily_unavailable',
];

/** What a request that changes something may be refused for before anybody looks at what it asks. */
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

/** What the reference says about a route's answers, besides their schemas. */
export interface AnswerNotes {
  problems: readonly ProblemCode[];
  /** Header names, lower case, by the status of the answers that bear them. */
  headers: Readonly<Record<number, readonly string[]>>;
}

const notes = new WeakMap<object, AnswerNotes>();

/** The notes that `responses` took, found again by what it returned. */
export function notesOf(response: object): AnswerNotes {
  return notes.get(response) ?? { problems: [], headers: {} };
}

/**
 * The `response` of a route's schema: what it answers, the problems it may answer with, by their codes, and which
 * headers of its own an answer bears, by its status. Headers that every answer bears are not named again.
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

/** The same for a route that needs no token. */
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
  // Handlers return answers and throw problems, so only the answers matter to their types.
  const response = { ...Object.fromEntries(documented), ...answers };
  notes.set(response, { problems: codes, headers });
  return response;
}
