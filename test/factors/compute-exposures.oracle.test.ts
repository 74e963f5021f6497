import { describe, expect, test } from 'vitest';
import { computeExposures } from '../../src/factors/compute-exposures.ts';
import { type Exposure, type Factor, factors } from '../../src/factors/factor-catalog.ts';
import { proxies } from '../../src/market/proxy-set.ts';
import {
  type SimulatedModel,
  simulatedCloses,
  simulatedModel,
  simulatedProxies,
} from '../../src/market/simulated/simulation.ts';
import { expectNear } from '../support/near.ts';
import {
  covariance,
  lastReturns,
  minus,
  noiseFreeBeta,
  noiseFreeRidge,
  type Row,
  ridgeDistance,
  ridgeOf,
  shrunkCoefficients,
  slopeDeviation,
} from '../support/oracle.ts';

const session = '2026-07-31';
const symbols = Array.from({ length: 200 }, (_, i) => `S${String(i).padStart(3, '0')}`);
const seeds = process.env.SOAK ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] : [1];
const univariate = factors.filter(({ method }) => method === 'ols');
const styles = factors.filter(({ method }) => method === 'ridge');

describe.each(seeds)('in the simulated market of seed %i', (seed) => {
  const set = simulatedProxies({ seed, session });
  const returns = (window: number): Record<string, Row> =>
    Object.fromEntries(proxies.map((proxy) => [proxy, lastReturns(set.closes[proxy].closes, window)]));
  const byWindow: Record<number, Record<string, Row>> = { 90: returns(90), 180: returns(180) };
  const styleReturns = styles.map(({ long }) => byWindow[90]![long]!);
  const ridge = ridgeOf(styleReturns);

  const exposuresOf = (symbol: string, model: SimulatedModel): Exposure[] =>
    computeExposures({ symbol: simulatedCloses({ seed, symbol, session, model }), proxies: set });
  const modelOf = (symbol: string): SimulatedModel => simulatedModel({ seed, symbol });
  const quiet = (symbol: string): SimulatedModel => ({ ...modelOf(symbol), sigma: 0 });
  const betaOf = (rows: Exposure[], factor: string): number =>
    rows.find((row) => row.factor === factor)!.rawBeta;
  const stylesOf = (rows: Exposure[]): Row => styles.map(({ id }) => betaOf(rows, id));

  const predictor = ({ window, long, short }: Factor): Row => {
    const { [long]: first, [short ?? '']: second } = byWindow[window]!;
    return second === undefined ? first! : minus(first!, second);
  };
  const target = (factor: Factor, { coefficients }: SimulatedModel): number =>
    noiseFreeBeta({
      x: predictor(factor),
      factors: proxies.map((proxy) => byWindow[factor.window]![proxy]!),
      coefficients: proxies.map((proxy) => coefficients[proxy]),
    });
  const ridgeTarget = ({ coefficients }: SimulatedModel): Row =>
    noiseFreeRidge({
      ridge,
      styles: styleReturns,
      factors: proxies.map((proxy) => byWindow[90]![proxy]!),
      coefficients: proxies.map((proxy) => coefficients[proxy]),
    });

  test('without noise every univariate beta is the sum of c_k Sxy(f_k, x) / Sxx', () => {
    for (const symbol of symbols.slice(0, 20)) {
      const rows = exposuresOf(symbol, quiet(symbol));
      for (const f of univariate)
        expectNear(betaOf(rows, f.id), target(f, modelOf(symbol)), `${symbol} ${f.id}`);
    }
  });

  test('without noise ridge shrinks style coefficients to (S + diag(S) / n)^-1 S c', () => {
    for (const symbol of symbols.slice(0, 20)) {
      const { coefficients, ...rest } = quiet(symbol);
      const model = { ...rest, coefficients: { ...coefficients, SPY: 0, TLT: 0 } };
      const expected = shrunkCoefficients(
        ridge,
        styles.map(({ long }) => coefficients[long]),
      );
      const rows = exposuresOf(symbol, model);
      for (const [k, { id }] of styles.entries())
        expectNear(betaOf(rows, id), expected[k]!, `${symbol} ${id}`);
    }
  });

  test('univariate betas miss their targets by as much as their standard deviation says', () => {
    const rows = new Map(symbols.map((symbol) => [symbol, exposuresOf(symbol, modelOf(symbol))]));
    for (const factor of univariate) {
      const zs = symbols.map((symbol) => {
        const model = modelOf(symbol);
        const deviation = slopeDeviation(predictor(factor), model.sigma);
        return (betaOf(rows.get(symbol)!, factor.id) - target(factor, model)) / deviation;
      });
      // Chi-squared with 200 degrees of freedom: outside in 1 of 10,000 draws.
      const sum = zs.reduce((total, z) => total + z * z, 0);
      expect(sum, `sum of z² of ${factor.id}`).toBeGreaterThan(134);
      expect(sum, `sum of z² of ${factor.id}`).toBeLessThan(284);
      expect(Math.max(...zs.map(Math.abs)), `largest |z| of ${factor.id}`).toBeLessThan(5);
    }
  });

  test('ridge betas miss theirs jointly by as much as sigma² A^-1 S A^-1 / n says', () => {
    let sum = 0;
    for (const symbol of symbols) {
      const model = modelOf(symbol);
      const error = minus(stylesOf(exposuresOf(symbol, model)), ridgeTarget(model));
      sum += ridgeDistance({ ridge, error, sigma: model.sigma });
    }
    // Chi-squared with 1200 degrees of freedom: outside in 1 of 10,000 draws.
    expect(sum).toBeGreaterThan(1026);
    expect(sum).toBeLessThan(1391);
  });

  test('the 95 % interval covers the true market beta in 177 to 199 of 200 symbols', () => {
    let covered = 0;
    for (const symbol of symbols) {
      const { sigma, drift, coefficients } = modelOf(symbol);
      const none = Object.fromEntries(proxies.map((proxy) => [proxy, 0])) as typeof coefficients;
      const rows = exposuresOf(symbol, { drift, sigma, coefficients: { ...none, SPY: 1.3 } });
      const { intervalLow, intervalHigh } = rows[0]!;
      if (intervalLow! <= 1.3 && 1.3 <= intervalHigh!) covered += 1;
    }
    expect(covered).toBeGreaterThanOrEqual(177);
    expect(covered).toBeLessThanOrEqual(199);
  });

  test('the proxies are as alike as the real funds: correlations to about 0.9, condition number about 9', () => {
    const correlations = styles.flatMap(({ long: a }, i) =>
      styles.slice(i + 1).map(({ long: b }) => {
        const [x, y] = [byWindow[180]![a]!, byWindow[180]![b]!];
        return covariance(x, y) / Math.sqrt(covariance(x, x) * covariance(y, y));
      }),
    );
    const { conditionNumber } = exposuresOf('S000', modelOf('S000')).find((row) => row.group === 'style')!;
    expect(Math.max(...correlations)).toBeGreaterThan(0.8);
    expect(Math.max(...correlations)).toBeLessThan(0.95);
    expect(conditionNumber).toBeGreaterThan(6);
    expect(conditionNumber).toBeLessThan(13);
  });
});
