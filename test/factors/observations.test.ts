import { describe, expect, test } from 'vitest';
import { computeExposures } from '../../src/factors/compute-exposures.ts';
import type { DailyCloses } from '../../src/market/proxy-set.ts';
import { simulatedCloses, simulatedModel, simulatedProxies } from '../../src/market/simulated/simulation.ts';
import { pricesOf } from '../support/series.ts';

const session = '2026-07-31';
const seed = 1;
const set = simulatedProxies({ seed, session });
const closesOf = (symbol: string): DailyCloses => simulatedCloses({ seed, symbol, session });
const rowsOf = (symbol: string) => computeExposures({ symbol: closesOf(symbol), proxies: set });

describe('warnings', () => {
  test('a constant series has beta 0 in every row, and neither t nor R²', () => {
    for (const row of rowsOf('FLAT')) {
      expect(row).toMatchObject({ beta: 0, rawBeta: 0, t: null, rSquared: null, quality: 'full_history' });
      expect(row.warnings).toEqual(['constant_series', 'thin_trading']);
    }
  });

  test('SPY explains itself: beta 1, R² 1, standard error 0, no t', () => {
    const [market, ...others] = computeExposures({ symbol: set.closes.SPY, proxies: set });
    expect(market).toMatchObject({
      rawBeta: 1,
      rSquared: 1,
      standardError: 0,
      t: null,
      intervalLow: 1,
      intervalHigh: 1,
      warnings: ['exact_fit'],
    });
    expect(others.every(({ warnings }) => warnings.length === 0)).toBe(true);
  });

  test('more than a fifth of zero returns is thin trading, a fifth is not', () => {
    const dates = set.closes.SPY.dates.slice(-91);
    const thin = (zeros: number) => {
      const returns = Array.from({ length: 90 }, (_, i) => (i < zeros ? 0 : 0.01 * Math.sin(i)));
      return computeExposures({ symbol: { dates, closes: pricesOf(returns) }, proxies: set })[0]!.warnings;
    };
    expect(thin(18)).toEqual([]);
    expect(thin(19)).toEqual(['thin_trading']);
  });

  test('a session that ends far from New York is asynchronous in every measured row', () => {
    const symbol = closesOf('7203.T');
    const tokyo = { sessionEnd: '15:30', timeZone: 'Asia/Tokyo' };
    for (const { warnings } of computeExposures({ symbol, proxies: set, instrument: tokyo })) {
      expect(warnings).toEqual(['asynchronous_close']);
    }
    const young = computeExposures({ symbol: closesOf('NEW14.T'), proxies: set, instrument: tokyo });
    expect(young.every(({ warnings }) => warnings.length === 0)).toBe(true);
  });

  test('a window that began on summer time is asynchronous although it ended on winter time', () => {
    // New York closes 4 hours before midnight UTC until 1 November 2025, 3 hours after that.
    const instrument = { sessionEnd: '24:00', timeZone: 'UTC' };
    const until = (end: string) => {
      const symbol = simulatedCloses({ seed, symbol: 'BTC-USD', session: end });
      return computeExposures({ symbol, proxies: set, instrument })[0]!;
    };
    expect(until('2026-02-27')).toMatchObject({
      windowStart: '2025-10-27',
      warnings: ['asynchronous_close'],
    });
    expect(until('2026-03-06')).toMatchObject({ windowStart: '2025-11-03', warnings: [] });
  });

  test('a beta beyond ±5 is capped, and its raw value and statistics are kept', () => {
    const leveraged = (times: number) => {
      const model = simulatedModel({ seed, symbol: 'LEVER' });
      const coefficients = { ...model.coefficients, SPY: times };
      const symbol = simulatedCloses({ seed, symbol: 'LEVER', session, model: { ...model, coefficients } });
      return computeExposures({ symbol, proxies: set })[0]!;
    };
    const up = leveraged(9);
    expect(up).toMatchObject({ beta: 5, capped: true, quality: 'full_history' });
    expect(up.rawBeta).toBeGreaterThan(7);
    expect(up.intervalLow).toBeGreaterThan(5);
    expect(leveraged(-9)).toMatchObject({ beta: -5, capped: true });
    expect(leveraged(3)).toMatchObject({ capped: false });
  });
});
