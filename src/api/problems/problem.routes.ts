import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { problemEntriesSchema, problemEntrySchema } from '../../contract/schemas.ts';
import { AppError } from '../../kernel/errors.ts';
import { preferred } from '../http/content-negotiation.ts';
import type { Api } from '../http/fastify.types.ts';
import { varyBy } from '../http/vary.ts';
import { publicResponses } from './declared-responses.ts';
import { type ProblemEntry, problemEntries } from './problem-entries.ts';
import { catalogPage, entryPage, pageSecurityPolicy } from './problem-pages.ts';

const produces = ['application/json', 'text/html'];
const config = { produces, public: true, csp: pageSecurityPolicy };
const tags = ['reference'];
const params = z.strictObject({ code: z.string().min(1).max(100) });

/** The target of the `type` of a problem: its meaning and how to fix it, for people and programs. */
export function problemRoutes(app: Api): void {
  let known: Map<string, ProblemEntry> | undefined;
  const entries = () => {
    known ??= new Map(problemEntries(app.describedRoutes).map((entry) => [entry.code, entry]));
    return known;
  };
  const list = {
    operationId: 'listProblems',
    tags,
    summary: 'All errors and how to fix them',
    description:
      'The codes of problem responses, of rows of an upload, and of errors of jobs. Browsers get a page.',
    response: publicResponses({ 200: problemEntriesSchema }, [], { 200: ['vary'] }),
  };
  app.get('/problems', { schema: list, config }, async ({ headers }, reply) => {
    const problems = [...entries().values()];
    varyBy(reply, 'accept');
    if (preferred(headers.accept, produces) === 'application/json') return { problems };
    return sendPage(reply, catalogPage(problems));
  });
  const one = {
    operationId: 'getProblem',
    tags,
    summary: 'An error and how to fix it',
    description: 'The `type` of every problem is a link to this path. Browsers get a page.',
    params,
    response: publicResponses({ 200: problemEntrySchema }, ['not_found'], { 200: ['vary'] }),
  };
  app.get('/problems/:code', { schema: one, config }, async ({ headers, params: { code } }, reply) => {
    const entry = entries().get(code);
    if (!entry) throw new AppError('not_found', `Unknown error code ${code}. GET /problems lists all codes.`);
    varyBy(reply, 'accept');
    if (preferred(headers.accept, produces) === 'application/json') return entry;
    return sendPage(reply, entryPage(entry));
  });
}

function sendPage(reply: FastifyReply, html: string): never {
  return reply
    .header('cache-control', 'no-cache')
    .type('text/html; charset=utf-8')
    .serializer(String)
    .send(html) as never;
}
