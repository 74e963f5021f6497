import type { z } from 'zod';
import { rowProblemCatalog } from '../../contract/row-problem-catalog.ts';
import type { problemEntrySchema } from '../../contract/schemas.ts';
import { jobErrorCatalogue } from '../../onboarding/job/job-error-catalog.ts';
import { notesOf } from './declared-responses.ts';
import type { DescribedRoute } from './described-route.ts';
import { type ProblemCode, problemCatalog } from './problem-catalog.ts';

export type ProblemEntry = z.output<typeof problemEntrySchema>;

/**
 * Every error of the service: problems of responses, problems of the rows of an upload, errors of jobs. Each has its
 * meaning, how to fix it, and the operations that return it.
 */
export function problemEntries(routes: readonly DescribedRoute[]): ProblemEntry[] {
  const codes = new Set(
    [problemCatalog, rowProblemCatalog, jobErrorCatalogue].flatMap((one) => Object.keys(one)),
  );
  return [...codes].map((code) => entryOf(code, routes));
}

function entryOf(code: string, routes: readonly DescribedRoute[]): ProblemEntry {
  const problem = lookUp(problemCatalog, code);
  const remark = lookUp(rowProblemCatalog, code);
  const job = lookUp(jobErrorCatalogue, code);
  const operations = routes.filter(({ schema }) => {
    const { problems } = notesOf(schema.response ?? {});
    return problems.includes(remark ? 'invalid_rows' : (code as ProblemCode));
  });
  return {
    code,
    type: `/problems/${code}`,
    status: problem?.status ?? null,
    title: (problem ?? remark ?? job)!.title,
    cure: problem?.fix ?? remark?.fix ?? job!.cure,
    found_in: [
      ...(problem ? ['answer' as const] : []),
      ...(remark ? ['rows' as const] : []),
      ...(job ? ['job' as const] : []),
    ],
    job_title: job?.title ?? null,
    job_cure: job?.cure ?? null,
    operations: problem || remark ? operations.map(({ schema }) => schema.operationId!) : [],
  };
}

function lookUp<Entry>(catalog: Record<string, Entry>, code: string): Entry | undefined {
  return Object.hasOwn(catalog, code) ? catalog[code] : undefined;
}
