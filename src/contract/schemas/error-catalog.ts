import { z } from 'zod';

/** `/openapi.json`: the fields that our code reads. */
export const apiDocumentSchema = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.looseObject({}),
});

/** `/asyncapi.json`: the fields that our code reads. */
export const feedDocumentSchema = z.looseObject({
  asyncapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  channels: z.looseObject({}),
});

/** One kind of error: its meaning and how to fix it. */
export const problemEntrySchema = z.object({
  code: z.string(),
  type: z.string().meta({ description: 'The `type` of the problem: the path of this entry.' }),
  status: z.int().nullable().meta({ description: 'HTTP status; null if it is not a problem response.' }),
  title: z.string(),
  cure: z.string().meta({ description: 'How to fix it.' }),
  found_in: z.array(z.enum(['answer', 'rows', 'job'])).meta({
    description: 'Where the code occurs: problem responses, rows of an upload, errors of jobs.',
  }),
  job_title: z.string().nullable().meta({ description: 'The meaning as error of a job.' }),
  job_cure: z.string().nullable(),
  operations: z.array(z.string()).meta({
    description: 'The operations that return it; empty for errors of any request, like an unknown path.',
  }),
});
export const problemEntriesSchema = z.object({ problems: z.array(problemEntrySchema) });
