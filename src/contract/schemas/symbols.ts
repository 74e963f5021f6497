import { z } from 'zod';
import { defaultReasons, qualities } from '../../factors/factor-catalog.ts';
import { instrumentTypes } from '../../market/provider.ts';
import {
  currencySchema,
  daySchema,
  decimalSchema,
  idSchema,
  linksSchema,
  phaseSchema,
  progressSchema,
  symbolParameterSchema,
  timestampSchema,
} from './common.ts';

export const symbolStatuses = ['ready', 'processing', 'pending', 'error', 'unknown'] as const;

/** The first four fields are those of the original API; the others are additions. */
export const symbolStatusViewSchema = z.object({
  symbol: z.string().meta({ description: 'Normalised; as given if it is not well-formed.' }),
  status: z.enum(symbolStatuses),
  message: z.string(),
  estimated_seconds: z.int().min(0).nullable().meta({
    description:
      'Based on measured phase times and the queue ahead; null unless pending or processing, and while paused.',
  }),
  phase: phaseSchema
    .nullable()
    .meta({ description: 'Phase of the newest job; null without an unfinished job.' }),
  attempt: z.int().nullable(),
  progress: progressSchema,
  quality: z.enum(qualities).nullable().meta({ description: 'The worst of its exposures.' }),
  ready_at: timestampSchema.nullable(),
  job_id: idSchema.nullable().meta({ description: 'The newest job of the symbol.' }),
});
export type SymbolStatusView = z.infer<typeof symbolStatusViewSchema>;
export const symbolStatusSchema = symbolStatusViewSchema.extend({ links: linksSchema });

export const statusesMax = 200;

export const statusesQuerySchema = z.strictObject({
  symbols: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(symbolParameterSchema).min(1).max(statusesMax))
    .meta({ description: `Separated by commas, at most ${statusesMax}.` }),
});

/** In the order of the query; a symbol written in several ways occurs once. */
export const symbolStatusesSchema = z.object({ symbols: z.array(symbolStatusSchema) });

/** A row of the universe. A symbol that is being onboarded has `is_active` false and nulls. */
export const symbolViewSchema = z.object({
  symbol: z.string(),
  status: z.enum(symbolStatuses),
  is_active: z.boolean(),
  name: z.string().nullable(),
  type: z.enum(instrumentTypes).nullable(),
  currency: currencySchema.nullable(),
  exchange: z.string().nullable(),
  time_zone: z.string().nullable(),
  provider: z.string().nullable().meta({ description: 'Source of its prices; `simulated` means invented.' }),
  first_price_date: daySchema.nullable(),
  last_price_date: daySchema.nullable(),
  last_price: decimalSchema.nullable().meta({ description: 'The last close, in `currency`.' }),
  quality: z.enum(qualities).nullable(),
  quality_reason: z.string().nullable(),
  calculation_date: daySchema.nullable(),
  ready_at: timestampSchema.nullable(),
  updated_at: timestampSchema,
});
export type SymbolView = z.infer<typeof symbolViewSchema>;
export const symbolSchema = symbolViewSchema.extend({ links: linksSchema });

export const symbolsQuerySchema = z.strictObject({
  query: z
    .string()
    .trim()
    .max(100)
    .regex(/^\P{Cc}*$/u, 'Allowed: text without control characters.')
    .optional()
    .meta({ description: 'Part of the symbol or name, in any case; all symbols by default.' }),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z
    .string()
    .regex(/^[\x21-\x7e]{1,32}$/, 'Allowed: `next_cursor` of the page before.')
    .optional()
    .meta({ description: '`next_cursor` of the page before.' }),
});
export type SymbolsQuery = z.infer<typeof symbolsQuerySchema>;

export const symbolsViewSchema = z.object({
  symbols: z.array(symbolViewSchema),
  next_cursor: z.string().nullable(),
});
export const symbolsSchema = symbolsViewSchema.extend({
  symbols: z.array(symbolSchema).meta({ description: 'Ascending by symbol.' }),
});

export const pricesQuerySchema = z.strictObject({
  from: daySchema
    .optional()
    .meta({ description: 'First trading day, inclusive; by default the first stored one.' }),
  to: daySchema
    .optional()
    .meta({ description: 'Last trading day, inclusive; by default the last stored one.' }),
});

/** One trading day in the exchange's time zone. `adjusted_close` is a double: for returns, never for money. */
export const barSchema = z.object({
  date: daySchema,
  open: decimalSchema.nullable(),
  high: decimalSchema.nullable(),
  low: decimalSchema.nullable(),
  close: decimalSchema,
  adjusted_close: z.number(),
  volume: decimalSchema.nullable(),
});

export const pricesSchema = z.object({
  symbol: z.string(),
  currency: currencySchema.nullable(),
  bars: z.array(barSchema).meta({ description: 'Ascending by date.' }),
});

export const exposuresQuerySchema = z.strictObject({
  date: daySchema.optional().meta({
    description:
      'A calculation date; by default the latest one. Older ones are kept for EXPOSURE_RETENTION_DAYS.',
  }),
});

/** One of the twelve: SPEC section 6. Betas have no unit. */
export const exposureSchema = z.object({
  factor: z.string(),
  group: z.enum(['market', 'rates', 'style', 'spread']),
  method: z.enum(['ols', 'ridge']),
  beta: z.number().meta({ description: '`raw_beta` capped at plus or minus 5.' }),
  raw_beta: z.number(),
  capped: z.boolean(),
  intercept: z.number().nullable(),
  standard_error: z.number().nullable().meta({ description: 'Of `raw_beta`; null for ridge.' }),
  t: z.number().nullable(),
  interval_low: z.number().nullable().meta({ description: '95 % interval of `raw_beta`.' }),
  interval_high: z.number().nullable(),
  r_squared: z.number().nullable(),
  condition_number: z.number().nullable().meta({ description: 'Of the style predictors; style group only.' }),
  observations: z.int(),
  window: z.int().meta({ description: 'Wanted number of daily returns; `observations` is the actual one.' }),
  window_start: daySchema.nullable(),
  window_end: daySchema.nullable(),
  quality: z.enum(qualities).exclude(['not_applicable']),
  reason: z.enum(defaultReasons).nullable().meta({ description: 'Why this row is a placeholder.' }),
  warnings: z.array(z.string()),
});

export const exposuresSchema = z.object({
  symbol: z.string(),
  calculation_date: daySchema.nullable(),
  quality: z.enum(qualities).nullable().meta({ description: 'The worst of the rows.' }),
  proxy_version: daySchema.nullable().meta({ description: 'The session of the factor proxies.' }),
  exposures: z.array(exposureSchema),
  notes: z.array(z.string()).meta({ description: 'How to read the groups, and how not to.' }),
});
