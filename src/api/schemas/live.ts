import { z } from 'zod';
import { timestampSchema } from './common.ts';
import { marketDataSchema, transitionSchema } from './onboarding.ts';

/** The first frame: every transition after `position` follows, in order, none twice, none missing. */
export const helloFrameSchema = z.object({
  type: z.literal('hello'),
  protocol: z.literal('onboarding.v1+json'),
  position: z.int().min(0),
  server_time: timestampSchema,
  market_data: marketDataSchema.pick({ providers: true, simulated: true }),
  limits: z.object({
    ping_interval_ms: z.int(),
    buffer_bytes: z.int().meta({ description: 'Unread bytes at which a slow client is closed (4429).' }),
    frame_bytes: z.int().meta({ description: 'The largest frame that a client may send.' }),
  }),
});

export const transitionFrameSchema = transitionSchema.extend({ type: z.literal('transition') });

/** The answer to a client's message that was not understood; the connection stays open. */
export const errorFrameSchema = z.object({
  type: z.literal('error'),
  code: z.string(),
  message: z.string(),
});

export const frameSchema = z.discriminatedUnion('type', [
  helloFrameSchema,
  transitionFrameSchema,
  errorFrameSchema,
]);
export type Frame = z.infer<typeof frameSchema>;
