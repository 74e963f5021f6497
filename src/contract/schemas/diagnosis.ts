import { z } from 'zod';
import { timestampSchema } from './common.ts';

/** Ascending by severity. The worst one is the verdict of the whole. */
export const verdicts = ['ok', 'warning', 'failed'] as const;

/** The result of one check. `evidence` is what was observed, `cure` how to fix it. */
export const findingSchema = z.object({
  name: z
    .string()
    .meta({ description: 'database, lock, clock, provider, gate, loops, proxies, queue, lots, reconciler.' }),
  verdict: z.enum(verdicts),
  evidence: z.string(),
  cure: z.string().nullable().meta({ description: 'How to fix it; null if there is nothing to do.' }),
  duration_ms: z.int(),
});
export type Finding = z.infer<typeof findingSchema>;

export const diagnosisSchema = z.object({
  verdict: z.enum(verdicts).meta({ description: 'The worst of the findings.' }),
  node: z.string().meta({ description: 'The node that ran the checks.' }),
  checked_at: timestampSchema,
  findings: z.array(findingSchema),
});
export type DiagnosisView = z.infer<typeof diagnosisSchema>;
