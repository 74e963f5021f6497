import { z } from 'zod';
import {
  currencySchema,
  daySchema,
  decimalSchema,
  idSchema,
  linksSchema,
  phaseSchema,
  progressSchema,
  timestampSchema,
} from './common.ts';
import { symbolStatuses } from './symbols.ts';

export const portfolioStatuses = ['ready', 'pending', 'partial', 'error'] as const;

/** A portfolio's totals on a price date, in its base currency: SPEC section 7. */
export const snapshotSchema = z.object({
  snapshot_date: daySchema,
  total_value: decimalSchema,
  total_cost: decimalSchema,
  total_pnl: decimalSchema,
  pnl_percent: decimalSchema.nullable(),
  long_value: decimalSchema,
  short_value: decimalSchema,
  gross_exposure: decimalSchema,
  net_exposure: decimalSchema,
  realized_pnl: decimalSchema.nullable().meta({
    description:
      'Of closed lots; null if one was sold in a currency without a rate. Not part of other totals.',
  }),
  position_count: z.int(),
  unpriced_count: z.int(),
  pending_count: z.int(),
  missing_fx_count: z.int(),
  coverage: decimalSchema
    .nullable()
    .meta({ description: 'Cost of the priced open lots divided by the cost of all open lots.' }),
  is_complete: z.boolean(),
  oldest_price_date: daySchema,
  computed_at: timestampSchema,
  revision: z.int(),
});
export type SnapshotView = z.infer<typeof snapshotSchema>;

/** Status and progress of one symbol of a portfolio. */
export const portfolioSymbolSchema = z.object({
  symbol: z.string(),
  status: z.enum(symbolStatuses),
  message: z.string(),
  phase: phaseSchema.nullable(),
  progress: progressSchema,
  job_id: idSchema.nullable(),
});

const noteSchema = z.object({ code: z.string(), message: z.string() });

export const portfolioViewSchema = z.object({
  portfolio_id: idSchema,
  name: z.string(),
  base_currency: currencySchema,
  owner: z.string(),
  status: z.enum(portfolioStatuses),
  lot_count: z.int(),
  progress: z.object({
    total: z.int().meta({ description: 'Symbols that the open lots need.' }),
    ready: z.int(),
    pending: z.int().meta({ description: 'Symbols with an unfinished job, including running ones.' }),
    failed: z.int(),
    fraction: progressSchema.meta({ description: 'Mean progress of the symbols; 1 without symbols.' }),
  }),
  symbols: z.array(portfolioSymbolSchema).meta({ description: 'Ascending by symbol.' }),
  snapshot: snapshotSchema.nullable().meta({ description: 'The latest; null while no lot is priced.' }),
  warnings: z.array(noteSchema).meta({ description: 'Warnings about its lots, like `split_since_entry`.' }),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type PortfolioView = z.infer<typeof portfolioViewSchema>;
export const portfolioSchema = portfolioViewSchema.extend({ links: linksSchema });

export const portfoliosQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: idSchema.optional().meta({ description: '`next_cursor` of the page before.' }),
});
export type PortfoliosQuery = z.infer<typeof portfoliosQuerySchema>;

/** A portfolio in a list: without its symbols. */
const portfolioSummaryViewSchema = portfolioViewSchema.omit({
  progress: true,
  symbols: true,
  warnings: true,
});

export const portfoliosViewSchema = z.object({
  portfolios: z.array(portfolioSummaryViewSchema),
  next_cursor: idSchema.nullable(),
});
export const portfoliosSchema = portfoliosViewSchema.extend({
  portfolios: z.array(portfolioSummaryViewSchema.extend({ links: linksSchema })),
});

/**
 * Whether a lot is part of the totals. `priced` is; the others are not: `pending` waits for its symbol, `failed` has a
 * symbol that could not be onboarded, `missing_fx` a currency without a rate, `unpriced` is an option or a private
 * holding and never has a price, `closed` has an exit date.
 */
export const dispositions = ['priced', 'pending', 'failed', 'missing_fx', 'unpriced', 'closed'] as const;

/** One lot. Money is in the base currency unless described otherwise. Unrounded values sum up to the snapshot. */
export const lotSchema = z.object({
  lot_id: idSchema,
  line: z.int().meta({ description: 'The row of the upload, from 1.' }),
  symbol: z.string(),
  class: z.enum(['PUBLIC', 'OPTIONS', 'PRIVATE', 'CASH']),
  subtype: z.string().nullable(),
  underlying_symbol: z.string().nullable(),
  strike_price: decimalSchema.nullable(),
  expiration_date: daySchema.nullable(),
  option_type: z.enum(['CALL', 'PUT']).nullable(),
  quantity: decimalSchema,
  multiplier: z.int(),
  currency: currencySchema
    .nullable()
    .meta({ description: 'Currency of the prices; null until the symbol is known.' }),
  entry_price: decimalSchema.meta({ description: 'Per share, in `currency`.' }),
  entry_date: daySchema,
  exit_price: decimalSchema.nullable(),
  exit_date: daySchema.nullable(),
  last_close: decimalSchema.nullable().meta({ description: "In the currency of the symbol's prices." }),
  price_date: daySchema.nullable(),
  stale_sessions: z
    .int()
    .nullable()
    .meta({ description: 'Weekdays between `price_date` and the last completed session.' }),
  fx_value: decimalSchema.nullable().meta({
    description:
      'Rate of the value into the base currency: the FX close on or before `price_date`, or the exit date of a closed ' +
      'lot. At most 18 decimals.',
  }),
  fx_cost: decimalSchema
    .nullable()
    .meta({ description: 'Rate of the entry price: the FX close on or before `entry_date`.' }),
  market_value: decimalSchema.nullable(),
  cost: decimalSchema.nullable(),
  pnl: decimalSchema.nullable(),
  pnl_percent: decimalSchema.nullable(),
  disposition: z.enum(dispositions),
  reason: z.string().nullable(),
  warnings: z.array(noteSchema),
});
export type LotView = z.infer<typeof lotSchema>;

export const positionsQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(5000).default(1000),
  cursor: z.coerce
    .number()
    .int()
    .min(0)
    .max(2_147_483_647) // the column is an integer
    .optional()
    .meta({ description: '`next_cursor` of the page before.' }),
});

export const positionsSchema = z.object({
  portfolio_id: idSchema,
  base_currency: currencySchema,
  positions: z.array(lotSchema).meta({ description: 'Ascending by line.' }),
  next_cursor: z.string().nullable(),
});

export const snapshotsQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: daySchema.optional().meta({ description: '`next_cursor` of the page before.' }),
});

export const snapshotsSchema = z.object({
  portfolio_id: idSchema,
  base_currency: currencySchema,
  snapshots: z.array(snapshotSchema).meta({ description: 'The latest price date first.' }),
  next_cursor: z.string().nullable(),
});
