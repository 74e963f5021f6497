import { isAsynchronous, type SessionEnd } from './asynchronous-close.ts';
import type { Centred } from './centering.ts';
import type { Fit } from './exposure-rows.ts';
import type { ExposureWarning, FactorId } from './factor-catalog.ts';
import { fitOls } from './ols.ts';
import { type Reference, referenceWindow } from './proxy-windows.ts';
import { fitRidge } from './ridge.ts';

/** The observations of all rows with one window: the symbol's last returns, at most `window` of them. */
export interface Observations {
  window: number;
  positions: number[];
  dates: string[];
  returns: number[];
  windowEnd: string;
}

const thinShare = 0.2;

/** One fit per factor of the window. A missing factor has a constant predictor. */
export function fitWindow({
  y,
  observed,
  reference,
}: {
  y: Centred;
  observed: Observations;
  reference: Reference;
}): Map<FactorId, Fit> {
  const { predictors, styles } = referenceWindow(reference, observed);
  const fits = new Map<FactorId, Fit>();
  for (const [id, x] of predictors) fits.set(id, { ...fitOls({ y, x }), conditionNumber: null });
  if (styles === null) return fits;

  const { betas, intercept, rSquared } = fitRidge({ y, design: styles.design });
  const { conditionNumber } = styles.design;
  for (const [k, id] of styles.ids.entries()) {
    fits.set(id, {
      beta: betas[k]!,
      intercept,
      rSquared,
      standardError: null,
      t: null,
      intervalLow: null,
      intervalHigh: null,
      exact: false,
      // Infinite for linearly dependent proxies, and JSON has no infinity.
      conditionNumber: Number.isFinite(conditionNumber) ? conditionNumber : null,
    });
  }
  return fits;
}

/** Warnings about the symbol itself, the same for all rows of a window. */
export function warningsOf({
  y,
  observed,
  instrument,
}: {
  y: Centred;
  observed: Observations;
  instrument: SessionEnd | undefined;
}): ExposureWarning[] {
  const { returns, dates } = observed;
  const warnings: ExposureWarning[] = [];
  if (y.constant) warnings.push('constant_series');
  if (returns.filter((value) => value === 0).length > thinShare * returns.length)
    warnings.push('thin_trading');
  const ends = [dates[0]!, dates.at(-1)!];
  if (instrument !== undefined && isAsynchronous(instrument, ends)) warnings.push('asynchronous_close');
  return warnings;
}
