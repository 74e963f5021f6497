import { z } from 'zod';
import { phases } from '../../../machines/protocol.ts';
import { issueMessage } from './issue-messages.ts';

// Every schema of the API imports this file.
z.config({ customError: issueMessage });

export const idSchema = z.uuid().meta({ description: 'UUIDv7: ids sort by creation time.' });
export const daySchema = z.iso
  .date()
  .refine((day) => !day.startsWith('0000'), 'Allowed: years from 0001.') // PostgreSQL has no year 0
  .meta({ description: 'A calendar day, YYYY-MM-DD.' });
export const timestampSchema = z.iso.datetime().meta({ description: 'ISO 8601 in UTC, ends with Z.' });

/** Money, quantities and exact ratios are strings, so that no binary float rounds them. */
export const decimalSchema = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .meta({ description: 'An exact decimal number as a string, without exponent.' });

export const currencySchema = z
  .string()
  .regex(/^[A-Z]{3}$/, 'Allowed: three capital letters, like USD.')
  .meta({ description: 'ISO 4217 code of a major currency.' });

/** A symbol in a path or query. The service normalises it (`brk.b` is `BRK-B`), so this only limits its length. */
export const symbolParameterSchema = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .meta({ description: 'A symbol in any case; share classes as BRK.B, BRK/B or BRK-B.' });

export const phaseSchema = z.enum(phases);

/** Completed phases over all phases: 0 while pending, 1 when completed. */
export const progressSchema = z.number().min(0).max(1);

/** Paths on the same origin, ready to fetch. */
export const linksSchema = z.record(z.string(), z.string());

/** An error or a warning about one cell of an upload or one field of a request. */
export const remarkSchema = z.object({
  code: z.string(),
  message: z.string().meta({ description: 'What is wrong and how to fix it.' }),
  row: z.int().min(1).nullish().meta({
    description: 'CSV: the row number of a spreadsheet. JSON: the place in `positions`, from 1.',
  }),
  related_row: z.int().min(1).nullish().meta({ description: 'The earlier row that this row repeats.' }),
  column: z.string().nullish(),
  value: z.string().nullish(),
  path: z
    .string()
    .nullish()
    .meta({ description: 'JSON pointer or parameter name, if it is not about a row.' }),
});
export type Remark = z.infer<typeof remarkSchema>;

export const invalidSymbolSchema = z.object({ symbol: z.string(), reason: z.string() });

/** RFC 9457. `code` is stable and determines `type`, `title` and `status`; other fields depend on it. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  instance: z.string(),
  request_id: z.string(),
  errors: z.array(remarkSchema).optional(),
  warnings: z.array(remarkSchema).optional(),
  symbols: z.array(invalidSymbolSchema).optional(),
  allow: z.array(z.string()).optional(),
  accept: z.array(z.string()).optional(),
  depth: z.int().optional(),
  limit: z.int().optional(),
  needed: z.int().optional(),
  retry_after_seconds: z.int().optional(),
  job_id: z.uuid().optional(),
  checks: z.array(z.unknown()).optional(),
});
export type Problem = z.infer<typeof problemSchema>;
