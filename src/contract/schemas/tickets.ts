import { z } from 'zod';
import { timestampSchema } from './common.ts';

export const ticketSchema = z.object({
  ticket: z.string().meta({ description: 'Opens one WebSocket or event stream, as `/ws?ticket=…`.' }),
  expires_at: timestampSchema,
});
export type TicketView = z.infer<typeof ticketSchema>;

export const watchQuerySchema = z.strictObject({
  ticket: z
    .string()
    .max(128)
    .optional()
    .meta({ description: 'From `POST /tickets`, for clients that cannot send headers.' }),
});
