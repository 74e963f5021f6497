import { z } from 'zod';
import { linksSchema } from './common.ts';

export const liveSchema = z.object({ status: z.literal('ok') });

/** The check of something that the service needs. `message` says what is wrong, without internals. */
export const healthCheckSchema = z.object({
  name: z.string(),
  status: z.enum(['ok', 'failed']),
  message: z.string().nullable(),
  duration_ms: z.number(),
});
export type HealthCheck = z.infer<typeof healthCheckSchema>;

export const readySchema = z.object({ status: z.literal('ok'), checks: z.array(healthCheckSchema) });

export const indexSchema = z.object({
  service: z.literal('symbol-onboarding'),
  version: z.string(),
  market_data: z.object({ providers: z.array(z.string()), simulated: z.boolean() }),
  notice: z.string().nullable().meta({ description: 'A warning if the market is simulated.' }),
  links: linksSchema,
});
