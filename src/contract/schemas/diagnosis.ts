import { z } from 'zod';
import { timestampSchema } from './common.ts';

/** The worst one counts for the whole. */
export const verdicts = ['ok', 'warning', 'failed'] as const;

/** What one check found. `evidence` is what was seen, `cure` what to do about it. */
export const findingSchema = z.object({
  name: z
    .string()
    .meta({ description: 'database, lock, clock, provider, gate, loops, proxies, queue, lots, reconciler.' }),
  verdict: z.enum(verdicts),
  evidence: z.string(),
  cure: z.string().nullable().meta({ description: 'Null where nothing has to be done.' }),
  duration_ms: z.int(),
});
export type Finding = z.infer<typeof findingSchema>;

export const diagnosisSchema = z.object({
  verdict: z.enum(verdicts).meta({ description: 'The worst of the findings.' }),
  node: z.string().meta({ description: 'Who looked.' }),
  checked_at: timestampSchema,
  findings: z.array(findingSchema),
});
export type DiagnosisView = z.infer<typeof diagnosisSchema>;
