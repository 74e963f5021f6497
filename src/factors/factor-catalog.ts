import type { ProxySymbol } from '../market/proxy-set.ts';

/** Quality of a row, best first. `not_applicable`: currencies and options, which have no rows. */
export const qualities = ['full_history', 'limited_history', 'default', 'not_applicable'] as const;
export type Quality = (typeof qualities)[number];

export const defaultReasons = [
  'too_few_observations',
  'constant_predictor',
  'reference_unavailable',
  'calculation_failed',
] as const;
export type DefaultReason = (typeof defaultReasons)[number];

/** What a reader should know before trusting a measured beta. Defaults have a reason and no warnings. */
export const exposureWarnings = [
  'constant_series', // the symbol's return never changed: beta 0, t and R² null
  'exact_fit', // no residuals (SPY on itself): standard error 0, t null
  'thin_trading', // more than 20 % of the returns are exactly 0: beta is biased towards 0
  'asynchronous_close', // the session ends more than 3 hours from New York's: beta is biased towards 0
] as const;
export type ExposureWarning = (typeof exposureWarnings)[number];

/** One of a symbol's twelve exposures: SPEC section 6. Betas are unitless, per daily simple return. */
export interface Exposure {
  factor: string;
  group: 'market' | 'rates' | 'style' | 'spread';
  method: 'ols' | 'ridge';
  beta: number;
  rawBeta: number;
  capped: boolean;
  intercept: number | null;
  standardError: number | null;
  t: number | null;
  /** 95 % interval of `rawBeta` from the t quantile, null for ridge and defaults. */
  intervalLow: number | null;
  intervalHigh: number | null;
  rSquared: number | null;
  /** Condition number of the standardised style predictors; only in the `style` group. */
  conditionNumber: number | null;
  observations: number;
  window: number;
  windowStart: string | null;
  windowEnd: string | null;
  quality: Exclude<Quality, 'not_applicable'>;
  reason: DefaultReason | null;
  warnings: string[];
}

export interface Factor {
  /** Stable: stored, and part of the API. */
  id: string;
  name: string;
  group: Exposure['group'];
  method: Exposure['method'];
  /** The predictor is the return of `long`, minus the return of `short` if there is one. */
  long: ProxySymbol;
  short: ProxySymbol | null;
  /** Maximum and minimum number of observations; one observation is one daily return. */
  window: number;
  minimum: number;
  /** The labelled placeholder of a row that could not be measured. */
  placeholder: number;
}

// Four months are short enough to follow a changing company. Spreads vary less than the market and need twice as long.
const fourMonths = { window: 90, minimum: 30, placeholder: 0, short: null };
const eightMonths = { window: 180, minimum: 60, placeholder: 0, group: 'spread', method: 'ols' } as const;
const style = { ...fourMonths, group: 'style', method: 'ridge' } as const;

/** The twelve factors, in the order of an exposure's rows. Ridge fits the six styles jointly. */
export const factors = [
  {
    ...fourMonths,
    id: 'market_beta',
    name: 'Market Beta',
    group: 'market',
    method: 'ols',
    long: 'SPY',
    placeholder: 1,
  },
  { ...fourMonths, id: 'ir_beta', name: 'IR Beta', group: 'rates', method: 'ols', long: 'TLT' },
  { ...style, id: 'value', name: 'Value', long: 'VTV' },
  { ...style, id: 'growth', name: 'Growth', long: 'VUG' },
  { ...style, id: 'momentum', name: 'Momentum', long: 'MTUM' },
  { ...style, id: 'quality', name: 'Quality', long: 'QUAL' },
  { ...style, id: 'size', name: 'Size', long: 'IWM' },
  { ...style, id: 'low_volatility', name: 'Low Volatility', long: 'USMV' },
  { ...eightMonths, id: 'growth_value_spread', name: 'Growth-Value Spread', long: 'VUG', short: 'VTV' },
  { ...eightMonths, id: 'momentum_spread', name: 'Momentum Spread', long: 'MTUM', short: 'SPY' },
  { ...eightMonths, id: 'size_spread', name: 'Size Spread', long: 'IWM', short: 'SPY' },
  { ...eightMonths, id: 'quality_spread', name: 'Quality Spread', long: 'QUAL', short: 'SPY' },
] as const satisfies readonly Factor[];
export type FactorId = (typeof factors)[number]['id'];

export const ridgeAlpha = 1; // whatever n; at n = 90 it widens the diagonal by 1.1 %

/** How to interpret the groups; shown wherever exposures are shown. */
export const readingNotes = [
  'The six style betas come from one ridge regression: read them as a group, together with its condition number.',
  'Market, rates and spread betas come from separate univariate regressions and must not be added.',
] as const;
