import { z } from 'zod';

/** `/openapi.json`, as far as anybody here looks into it. */
export const apiDocumentSchema = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.looseObject({}),
});

/** `/asyncapi.json`, likewise. */
export const feedDocumentSchema = z.looseObject({
  asyncapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  channels: z.looseObject({}),
});

/** One kind of error: what it means and how to mend it. */
export const problemEntrySchema = z.object({
  code: z.string(),
  type: z.string().meta({ description: 'As in `type` of a problem: where this entry is.' }),
  status: z.int().nullable().meta({ description: 'Of the answer; null where it is no answer of its own.' }),
  title: z.string(),
  cure: z.string().meta({ description: 'How to mend it.' }),
  found_in: z.array(z.enum(['answer', 'rows', 'job'])).meta({
    description: '`code` of a problem, of a remark on a row of an upload, of the error of a job.',
  }),
  job_title: z.string().nullable().meta({ description: 'What it means as the error of a job.' }),
  job_cure: z.string().nullable(),
  operations: z.array(z.string()).meta({
    description: 'The operations that answer it; none for what any request may meet, a wrong path say.',
  }),
});
export const problemEntriesSchema = z.object({ problems: z.array(problemEntrySchema) });
