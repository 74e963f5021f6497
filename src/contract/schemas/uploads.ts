import { z } from 'zod';
import { isCurrency } from '../../market/currency.ts';
import { currencySchema, idSchema, invalidSymbolSchema, linksSchema, remarkSchema } from './common.ts';
import { snapshotSchema } from './portfolios.ts';

export const portfolioNameMax = 200;
export const positionRowsMax = 50_000; // the same as for CSV
export const uploadBytesMax = 10 * 1024 * 1024;
export const uploadTypes = ['text/csv', 'multipart/form-data', 'application/json'] as const;

export const portfolioNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(portfolioNameMax)
  // Control characters would forge lines in a log or a terminal.
  .regex(/^\P{Cc}*$/u, 'Allowed: text without control characters.')
  .regex(/^(?![=+@])/, 'Allowed: text that does not begin with =, + or @ (a spreadsheet would evaluate it).');

export const baseCurrencySchema = z
  .string()
  .trim()
  .toUpperCase()
  .pipe(currencySchema)
  .pipe(z.string().refine(isCurrency, 'Allowed: the ISO 4217 code of a current currency, like USD.'));

const flagSchema = z.enum(['true', 'false']).transform((text) => text === 'true');

/** Options of an upload: the query of `text/csv`, or the fields of a multipart form. */
export const uploadOptionsSchema = z.strictObject({
  name: portfolioNameSchema.optional(),
  base_currency: baseCurrencySchema.optional(),
  allow_duplicates: flagSchema.optional(),
  dry_run: flagSchema.optional(),
});

/** Limits the size of a cell of a JSON upload; the rules of SPEC 4 check its content. */
const cellSchema = z.string().max(1000);

/**
 * One lot of a JSON upload: the columns of the CSV, under their API names.
 *
 * Checks the shape only. The row rules are those of a CSV, with the same codes.
 */
export const positionInputSchema = z.strictObject({
  symbol: cellSchema,
  quantity: cellSchema,
  entry_price: cellSchema,
  entry_date: cellSchema,
  investment_class: cellSchema.nullish(),
  investment_subtype: cellSchema.nullish(),
  underlying_symbol: cellSchema.nullish(),
  strike_price: cellSchema.nullish(),
  expiration_date: cellSchema.nullish(),
  option_type: cellSchema.nullish(),
  exit_date: cellSchema.nullish(),
  exit_price: cellSchema.nullish(),
  currency: cellSchema.nullish(),
});
export type PositionInput = z.infer<typeof positionInputSchema>;

/** Numbers of a position: strings, or JSON numbers whose digits are kept as written. */
export const decimalFields = ['quantity', 'entry_price', 'strike_price', 'exit_price'] as const;

export const portfolioInputSchema = z.strictObject({
  name: portfolioNameSchema.optional(),
  base_currency: baseCurrencySchema.optional(),
  allow_duplicates: z.boolean().optional(),
  dry_run: z.boolean().optional(),
  positions: z.array(positionInputSchema).min(1).max(positionRowsMax),
});

/** 201 when `ready`, 202 when `pending`. */
export const uploadedSchema = z.object({
  portfolio_id: idSchema,
  status: z.enum(['ready', 'pending']),
  pending_symbols: z.array(z.string()).meta({ description: 'Symbols to watch; empty when ready.' }),
  warnings: z.array(remarkSchema),
  links: linksSchema,
});

const rejection = {
  would: z.literal('rejected'),
  detail: z.string().meta({ description: 'What is wrong, in one sentence.' }),
};

/** The outcome of an upload, in `would`. `code` and its fields are those of the problem response. */
export const dryRunSchema = z.discriminatedUnion('would', [
  z.object({
    would: z.enum(['ready', 'pending']),
    lot_count: z.int(),
    pending_symbols: z
      .array(z.string())
      .meta({ description: 'Symbols that would be onboarded, or already are being onboarded.' }),
    warnings: z.array(remarkSchema),
    snapshot: snapshotSchema
      .nullable()
      .meta({ description: 'The totals of the symbols that are known now; null without priced lots.' }),
  }),
  z.discriminatedUnion('code', [
    z.object({
      ...rejection,
      code: z.literal('invalid_rows'),
      errors: z.array(remarkSchema),
      warnings: z.array(remarkSchema),
    }),
    z.object({ ...rejection, code: z.literal('invalid_symbols'), symbols: z.array(invalidSymbolSchema) }),
    z.object({ ...rejection, code: z.literal('too_many_symbols'), needed: z.int(), limit: z.int() }),
  ]),
  z.object({
    would: z.literal('queue_full'),
    detail: z.string(),
    depth: z.int(),
    limit: z.int(),
    needed: z.int(),
    retry_after_seconds: z.int(),
  }),
]);
export type DryRunView = z.infer<typeof dryRunSchema>;
