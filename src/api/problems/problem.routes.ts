import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { problemEntriesSchema, problemEntrySchema } from '../../contract/schemas.ts';
import { AppError } from '../../kernel/errors.ts';
import { preferred } from '../http/content-negotiation.ts';
import type { Api } from '../http/fastify.types.ts';
import { varyBy } from '../http/vary.ts';
import { publicResponses } from '../openapi/declared-responses.ts';
import { type ProblemEntry, problemEntries } from './problem-entries.ts';
import { catalogPage, entryPage, pageSecurityPolicy } from './problem-pages.ts';

const produces = ['application/json', 'text/html'];
const config = { produces, public: true, csp: pageSecurityPolicy };
const tags = ['reference'];
const params = z.strictObject({ code: z.string().min(1).max(100) });

/** Where the `type` of a problem leads: what it means and how to mend it, for people and for programs. */
export function problemRoutes(app: Api): void {
  let known: Map<string, ProblemEntry> | undefined;
  const entries = () => {
    known ??= new Map(problemEntries(app.describedRoutes).map((entry) => [entry.code, entry]));
    return known;
  };
  const list = {
    operationId: 'listProblems',
    tags,
    summary: 'Every error and its cure',
    description:
      'All codes of problems, of remarks on the rows of an upload, and of errors of jobs. As a page for browsers.',
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
    summary: 'What an error means, and how to mend it',
    description: 'The `type` of every problem leads here. As a page for browsers.',
    params,
    response: publicResponses({ 200: problemEntrySchema }, ['not_found'], { 200: ['vary'] }),
  };
  app.get('/problems/:code', { schema: one, config }, async ({ headers, params: { code } }, reply) => {
    const entry = entries().get(code);
    if (!entry)
      throw new AppError('not_found', `There is no error of the code ${code}; GET /problems lists all.`);
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
