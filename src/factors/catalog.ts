/** The eight exchange-traded funds whose returns stand for the factors. */
export const proxies = ['SPY', 'TLT', 'VTV', 'VUG', 'MTUM', 'QUAL', 'IWM', 'USMV'] as const;
export type ProxySymbol = (typeof proxies)[number];

export const qualities = ['full_history', 'limited_history', 'default', 'not_applicable'] as const;
export type Quality = (typeof qualities)[number];

export const defaultReasons = [
  'too_few_observations',
  'constant_predictor',
  'reference_unavailable',
  'calculation_failed',
] as const;
export type DefaultReason = (typeof defaultReasons)[number];

/** Adjusted closes of one instrument, ascending, one per trading day. */
export interface DailyCloses {
  dates: string[];
  closes: number[];
}

/** The eight proxies as they stood on one completed New York session; never changed once stored. */
export interface ProxySet {
  /** The last completed New York session, `YYYY-MM-DD`. */
  version: string;
  closes: Record<ProxySymbol, DailyCloses>;
}

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
