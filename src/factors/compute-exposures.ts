import type { InstrumentType } from '../market/provider.ts';
import type { DailyCloses, ProxySet } from '../market/proxy-set.ts';
import type { SessionEnd } from './asynchronous-close.ts';
import { centre } from './centering.ts';
import { type Fit, measured, placeholder } from './exposure-rows.ts';
import {
  type DefaultReason,
  type Exposure,
  type FactorId,
  factors,
  type Quality,
  qualities,
} from './factor-catalog.ts';
import { fitWindow, type Observations, warningsOf } from './observations.ts';
import { prepareProxies, type Reference } from './proxy-windows.ts';
import { type AlignedReturns, alignReturns } from './returns.ts';

export interface ExposureInput {
  /** Adjusted closes in the symbol's own currency, ascending, on the dates of its own exchange. */
  symbol: DailyCloses;
  proxies: ProxySet;
  /** Session of its exchange; without it there is no warning about asynchronous closes. */
  instrument?: SessionEnd;
}

const windows = [...new Set(factors.map(({ window }) => window))];

/**
 * The twelve exposures of a symbol: always twelve rows, in the order of `factors`. A factor that cannot be measured is
 * a labelled placeholder with its reason.
 *
 * Every row has a `windowEnd`, which is its calculation date: the last observation, otherwise the symbol's last close,
 * otherwise the proxies' version. `reference_unavailable` means that the proxies have too few common dates. Throws
 * `calculation_failed` (permanent) for prices or fits that are not finite; the caller then stores `defaultExposures`.
 *
 *     computeExposures({ symbol: spy, proxies })[0]   // Market Beta 1, R² 1, warnings ['exact_fit']
 */
export function computeExposures({ symbol, proxies, instrument }: ExposureInput): Exposure[] {
  const reference = prepareProxies(proxies);
  const aligned = alignReturns(symbol, reference.calendar);
  const lastClose = symbol.dates.at(-1) ?? proxies.version;
  return windows.flatMap((window) => {
    const observed = observe({ window, aligned, reference, lastClose });
    return exposuresOf({ observed, reference, instrument });
  });
}

/** Twelve placeholders with one reason: 1 for Market Beta, 0 for the others. They never count as measured. */
export function defaultExposures({
  reason,
  windowEnd,
}: {
  reason: DefaultReason;
  /** The symbol's last close, which becomes the calculation date. */
  windowEnd: string;
}): Exposure[] {
  return factors.map((factor) =>
    placeholder({ factor, reason, observations: 0, windowStart: null, windowEnd }),
  );
}

/** A symbol's quality is that of its worst row. Without rows, factors do not apply to it. */
export function worstQuality(exposures: readonly Pick<Exposure, 'quality'>[]): Quality {
  if (exposures.length === 0) return 'not_applicable';
  return qualities[Math.max(...exposures.map(({ quality }) => qualities.indexOf(quality)))]!;
}

/** Whether the onboarding's outcome is `partial`: at least one row is a default. A short history alone is complete. */
export function isPartial(exposures: readonly Pick<Exposure, 'quality'>[]): boolean {
  return exposures.some(({ quality }) => quality === 'default');
}

/** Why an instrument has no factor exposures, as a clause. `reason` is its type in lower case. */
export function whyNotApplicable(reason: string | null): string {
  if (reason === 'currency') return 'an exchange rate has no factor exposures';
  if (reason === 'option') return 'an option has no factor exposures, because its delta is unknown';
  return 'factor exposures do not apply to it';
}

/** Whether equity factors apply to a type of instrument. They do not apply to currencies and options. */
export function hasExposures(type: InstrumentType): boolean {
  return type !== 'CURRENCY' && type !== 'OPTION';
}

function observe({
  window,
  aligned,
  reference,
  lastClose,
}: {
  window: number;
  aligned: AlignedReturns;
  reference: Reference;
  lastClose: string;
}): Observations {
  const positions = aligned.positions.slice(-window);
  const dates = positions.map((position) => reference.calendar[position]!);
  return {
    window,
    positions,
    dates,
    returns: aligned.returns.slice(-window),
    windowEnd: dates.at(-1) ?? lastClose,
  };
}

/** The rows of the factors with one window. A factor without a fit has a constant predictor. */
function exposuresOf({
  observed,
  reference,
  instrument,
}: {
  observed: Observations;
  reference: Reference;
  instrument: SessionEnd | undefined;
}): Exposure[] {
  const { window, returns, dates, windowEnd } = observed;
  const observations = returns.length;
  const own = factors.filter((factor) => factor.window === window);
  const enough = own.some(({ minimum }) => observations >= minimum);
  const y = enough ? centre(returns) : null;
  const fits = y === null ? new Map<FactorId, Fit>() : fitWindow({ y, observed, reference });
  const shared = y === null ? [] : warningsOf({ y, observed, instrument });
  const span = { observations, windowStart: dates[0] ?? null, windowEnd };

  return own.map((factor) => {
    if (observations < factor.minimum) {
      const short = reference.calendar.length - 1 < factor.minimum;
      return placeholder({
        factor,
        reason: short ? 'reference_unavailable' : 'too_few_observations',
        ...span,
      });
    }
    const fit = fits.get(factor.id);
    if (fit === undefined) return placeholder({ factor, reason: 'constant_predictor', ...span });
    return measured({ factor, fit, warnings: fit.exact ? ['exact_fit', ...shared] : shared, ...span });
  });
}
