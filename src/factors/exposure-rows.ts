import { AppError } from '../kernel/errors.ts';
import { capBeta } from './cap-beta.ts';
import type { DefaultReason, Exposure, ExposureWarning, Factor } from './factor-catalog.ts';

/** A fit of either method. Ridge is a biased estimator, so it has no valid standard error, t or interval. */
export type Fit = Pick<
  Exposure,
  'intercept' | 'standardError' | 't' | 'intervalLow' | 'intervalHigh' | 'rSquared'
> & {
  beta: number;
  conditionNumber: number | null;
  exact: boolean;
};

/** The number of observations of a row, and its window. */
export type Span = Pick<Exposure, 'observations' | 'windowStart' | 'windowEnd'>;

/**
 * The row of a measured beta, capped to ±5. The statistics are those of the uncapped beta.
 *
 * Throws `calculation_failed` (permanent) if one of its numbers is not finite.
 */
export function measured({
  factor,
  fit,
  warnings,
  ...span
}: Span & { factor: Factor; fit: Fit; warnings: ExposureWarning[] }): Exposure {
  const { beta: rawBeta, exact: _, ...statistics } = fit;
  const broken = Object.entries({ rawBeta, ...statistics }).find(
    ([, value]) => value !== null && !Number.isFinite(value),
  );
  if (broken !== undefined) {
    throw new AppError('calculation_failed', `${factor.name} is not a number: ${broken.join(' = ')}`);
  }
  const beta = capBeta(rawBeta);
  return {
    ...identity(factor),
    ...span,
    ...statistics,
    beta,
    rawBeta,
    capped: beta !== rawBeta,
    quality: span.observations >= factor.window ? 'full_history' : 'limited_history',
    reason: null,
    warnings: [...warnings],
  };
}

/** The row of a factor that could not be measured, and why. */
export function placeholder({
  factor,
  reason,
  ...span
}: Span & { factor: Factor; reason: DefaultReason }): Exposure {
  return {
    ...identity(factor),
    ...span,
    beta: factor.placeholder,
    rawBeta: factor.placeholder,
    capped: false,
    intercept: null,
    standardError: null,
    t: null,
    intervalLow: null,
    intervalHigh: null,
    rSquared: null,
    conditionNumber: null,
    quality: 'default',
    reason,
    warnings: [],
  };
}

const identity = ({
  id,
  group,
  method,
  window,
}: Factor): Pick<Exposure, 'factor' | 'group' | 'method' | 'window'> => ({
  factor: id,
  group,
  method,
  window,
});
