import { z } from 'zod';
import { currencySchema, daySchema, decimalSchema, idSchema } from './common.ts';
import { exposureSchema } from './symbols.ts';

/** Shares of the gross value of all priced lots; they sum up to 1, up to rounding. */
const grossSharesSchema = z.object({
  full_history: decimalSchema,
  limited_history: decimalSchema,
  default: decimalSchema.meta({ description: 'Placeholders: assumed, not measured.' }),
  not_applicable: decimalSchema.meta({ description: 'Cash and currencies, which have no exposures.' }),
});

/** One factor of a portfolio, in its base currency: SPEC section 7. */
const portfolioExposureSchema = exposureSchema.pick({ factor: true, group: true }).extend({
  dollar_exposure: decimalSchema.meta({ description: 'Sum of signed market value x measured beta.' }),
  assumed_dollar_exposure: decimalSchema.meta({ description: 'The same for placeholders.' }),
  measured_gross_value: decimalSchema,
  measured_net_value: decimalSchema,
  beta_gross: z.number().nullable().meta({ description: '`dollar_exposure` over `measured_gross_value`.' }),
  beta_net: z.number().nullable().meta({ description: '`dollar_exposure` over `measured_net_value`.' }),
  beta_net_reason: z.enum(['net_near_zero', 'nothing_measured']).nullable().meta({
    description: 'Why `beta_net` is null. `net_near_zero`: the net value is below 10 % of the gross value.',
  }),
  gross_shares: grossSharesSchema,
});

export const portfolioExposuresSchema = z.object({
  portfolio_id: idSchema,
  base_currency: currencySchema,
  gross_value: decimalSchema
    .nullable()
    .meta({ description: 'Of all priced lots; null without priced lots.' }),
  net_value: decimalSchema.nullable(),
  oldest_calculation_date: daySchema.nullable(),
  exposures: z.array(portfolioExposureSchema).meta({ description: 'Twelve, or none without priced lots.' }),
  notes: z.array(z.string()).meta({ description: 'How to read the groups, and how not to.' }),
});
