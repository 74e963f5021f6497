import { describe, expect, test } from 'vitest';
import {
  computeExposures,
  defaultExposures,
  hasExposures,
  isPartial,
  worstQuality,
} from '../../src/factors/compute-exposures.ts';
import { defaultReasons, factors } from '../../src/factors/factor-catalog.ts';
import type { DailyCloses, ProxySet, ProxySymbol } from '../../src/market/proxy-set.ts';
import { simulatedCloses, simulatedModel, simulatedProxies } from '../../src/market/simulated/simulation.ts';
import { expectNear } from '../support/near.ts';

const session = '2026-07-31';
const seed = 1;
const set = simulatedProxies({ seed, session });
const closesOf = (symbol: string): DailyCloses => simulatedCloses({ seed, symbol, session });
const rowsOf = (symbol: string) => computeExposures({ symbol: closesOf(symbol), proxies: set });
const only = (closes: DailyCloses, keep: (date: string, i: number) => boolean): DailyCloses => ({
  dates: closes.dates.filter(keep),
  closes: closes.closes.filter((_, i) => keep(closes.dates[i]!, i)),
});
const withProxy = (proxy: ProxySymbol, closes: DailyCloses): ProxySet => ({
  ...set,
  closes: { ...set.closes, [proxy]: closes },
});

describe('the exposures of a symbol with a full history', () => {
  const rows = rowsOf('AAPL');

  test('are twelve measured rows in the order of the catalog, ending on the last common session', () => {
    expect(rows.map(({ factor }) => factor)).toEqual(factors.map(({ id }) => id));
    for (const row of rows) {
      expect(row).toMatchObject({
        quality: 'full_history',
        reason: null,
        warnings: [],
        windowEnd: session,
        observations: row.window,
        windowStart: row.window === 90 ? '2026-03-30' : '2025-11-24',
      });
    }
    expect(worstQuality(rows)).toBe('full_history');
    expect(isPartial(rows)).toBe(false);
  });

  test('have an interval, t and standard error where they are fitted one by one', () => {
    for (const row of rows.filter(({ method }) => method === 'ols')) {
      expect(row.intervalLow).toBeLessThan(row.rawBeta);
      expect(row.intervalHigh).toBeGreaterThan(row.rawBeta);
      expectNear(row.t, row.rawBeta / row.standardError!);
      expect(row.conditionNumber).toBeNull();
    }
  });

  test('share intercept, R² and condition number in the style group, and have no error there', () => {
    const styles = rows.filter(({ method }) => method === 'ridge');
    expect(styles).toHaveLength(6);
    for (const { intercept, rSquared, conditionNumber, ...row } of styles) {
      expect({ intercept, rSquared, conditionNumber }).toEqual({
        intercept: styles[0]!.intercept,
        rSquared: styles[0]!.rSquared,
        conditionNumber: styles[0]!.conditionNumber,
      });
      expect(row).toMatchObject({ standardError: null, t: null, intervalLow: null, intervalHigh: null });
    }
  });

  test('do not change with the currency unit, with later closes of the symbol, or when asked again', () => {
    const { dates, closes } = closesOf('AAPL');
    const pence = computeExposures({ symbol: { dates, closes: closes.map((c) => c * 128) }, proxies: set });
    expect(pence).toEqual(rows); // a power of two changes no digit
    const later = { dates: [...dates, '2026-08-03'], closes: [...closes, closes.at(-1)! * 2] };
    expect(computeExposures({ symbol: later, proxies: set })).toEqual(rows);
    expect(rowsOf('AAPL')).toEqual(rows);
  });
});

describe('the quality of a row', () => {
  // Observations and what 90-day and 180-day rows say about them.
  test.each([
    [29, 'default', 'default'],
    [30, 'limited_history', 'default'],
    [59, 'limited_history', 'default'],
    [60, 'limited_history', 'limited_history'],
    [89, 'limited_history', 'limited_history'],
    [90, 'full_history', 'limited_history'],
    [179, 'full_history', 'limited_history'],
    [180, 'full_history', 'full_history'],
    [181, 'full_history', 'full_history'],
  ])('of %i observations is %s over 90 days and %s over 180', (count, over90, over180) => {
    const rows = rowsOf(`NEW${count + 1}`);
    expect(rows).toHaveLength(12);
    for (const row of rows) {
      const quality = row.window === 90 ? over90 : over180;
      expect(row.quality).toBe(quality);
      expect(row.reason).toBe(quality === 'default' ? 'too_few_observations' : null);
      expect(row.observations).toBe(Math.min(count, row.window));
    }
    expect(isPartial(rows)).toBe(over90 === 'default' || over180 === 'default');
    expect(worstQuality(rows)).toBe(over180);
  });

  test('of a default is shown by its placeholder, its observations and nothing measured', () => {
    const [market, rates] = rowsOf('NEW14');
    expect(market).toEqual({
      factor: 'market_beta',
      group: 'market',
      method: 'ols',
      beta: 1,
      rawBeta: 1,
      capped: false,
      intercept: null,
      standardError: null,
      t: null,
      intervalLow: null,
      intervalHigh: null,
      rSquared: null,
      conditionNumber: null,
      observations: 13,
      window: 90,
      windowStart: '2026-07-15',
      windowEnd: session,
      quality: 'default',
      reason: 'too_few_observations',
      warnings: [],
    });
    expect(rates!.beta).toBe(0);
  });

  test('is default with the symbol its own last close as date where no return could be made', () => {
    for (const symbol of [closesOf('NEW1'), { dates: ['2026-08-01'], closes: [5] }]) {
      for (const row of computeExposures({ symbol, proxies: set })) {
        expect(row).toMatchObject({ observations: 0, windowStart: null, windowEnd: symbol.dates.at(-1) });
      }
    }
    expect(computeExposures({ symbol: { dates: [], closes: [] }, proxies: set })[0]!.windowEnd).toBe(session);
  });

  test('blames the reference where the proxies have too few common dates', () => {
    const few = only(set.closes.USMV, (_, i) => i >= 675 - 41);
    const rows = computeExposures({ symbol: closesOf('AAPL'), proxies: withProxy('USMV', few) });
    for (const row of rows) {
      expect(row.reason).toBe(row.window === 90 ? null : 'reference_unavailable');
      expect(row.observations).toBe(40);
    }
    const none = computeExposures({
      symbol: closesOf('AAPL'),
      proxies: withProxy('TLT', { dates: [], closes: [] }),
    });
    expect(none.every(({ reason }) => reason === 'reference_unavailable')).toBe(true);
  });

  test('blames the symbol as soon as the proxies have enough', () => {
    const reasonWith = (commonDates: number) => {
      const few = only(set.closes.USMV, (_, i) => i >= 675 - commonDates);
      const rows = computeExposures({ symbol: closesOf('NEW41'), proxies: withProxy('USMV', few) });
      return rows.at(-1)!.reason;
    };
    expect(reasonWith(60)).toBe('reference_unavailable'); // 59 returns, 60 needed
    expect(reasonWith(61)).toBe('too_few_observations');
  });

  test('blames a proxy that did not move, in the rows that rest on it alone', () => {
    const still = { dates: set.closes.TLT.dates, closes: set.closes.TLT.closes.map(() => 90) };
    const rates = computeExposures({ symbol: closesOf('AAPL'), proxies: withProxy('TLT', still) });
    expect(
      rates.filter(({ reason }) => reason !== null).map(({ factor, reason }) => [factor, reason]),
    ).toEqual([['ir_beta', 'constant_predictor']]);
    const value = computeExposures({ symbol: closesOf('AAPL'), proxies: withProxy('VTV', still) });
    expect(value.filter(({ reason }) => reason !== null).map(({ factor }) => factor)).toEqual(['value']);
    const same = computeExposures({ symbol: closesOf('AAPL'), proxies: withProxy('MTUM', set.closes.SPY) });
    expect(same.filter(({ reason }) => reason !== null).map(({ factor }) => factor)).toEqual([
      'momentum_spread',
    ]);
  });

  test('of a symbol is that of its worst row, and not applicable without rows', () => {
    const row = (quality: 'full_history' | 'limited_history' | 'default') => ({ quality });
    expect(worstQuality([row('full_history'), row('default'), row('limited_history')])).toBe('default');
    expect(worstQuality([row('limited_history'), row('full_history')])).toBe('limited_history');
    expect(worstQuality([])).toBe('not_applicable');
    expect(isPartial([])).toBe(false);
    expect(isPartial([row('limited_history')])).toBe(false);
  });
});

describe('a symbol with gaps', () => {
  test('fills its window with older observations, and none spans a gap', () => {
    const holidays = ['2026-05-04', '2026-05-25', '2026-05-26'];
    const symbol = only(closesOf('AAPL'), (date) => !holidays.includes(date));
    const [market] = computeExposures({ symbol, proxies: set });
    // Two returns lost to the single day, three to the pair: the window begins five sessions earlier.
    expect(market).toMatchObject({ observations: 90, quality: 'full_history', windowStart: '2026-03-23' });
  });

  test('has the betas of the observations that are left', () => {
    // Without noise and with one factor the beta does not depend on which days are left: 1.3, exactly.
    const model = { ...simulatedModel({ seed, symbol: 'GAPS' }), sigma: 0 };
    const coefficients = { ...model.coefficients };
    for (const proxy of Object.keys(coefficients) as ProxySymbol[]) coefficients[proxy] = 0;
    coefficients.SPY = 1.3;
    const closes = simulatedCloses({ seed, symbol: 'GAPS', session, model: { ...model, coefficients } });
    const symbol = only(closes, (_, i) => i % 7 !== 0);
    const [market] = computeExposures({ symbol, proxies: set });
    expectNear(market!.rawBeta, 1.3);
    expect(market!.warnings).toEqual(['exact_fit']);
  });

  test('is measured up to its last common session where it is behind the proxies', () => {
    const symbol = only(closesOf('AAPL'), (date) => date <= '2026-07-24');
    for (const row of computeExposures({ symbol, proxies: set })) expect(row.windowEnd).toBe('2026-07-24');
  });
});

describe('what cannot be calculated', () => {
  test('is a failure for good, not a beta that is no number', () => {
    const { dates, closes } = closesOf('AAPL');
    for (const bad of [Number.NaN, 0, -3, Number.POSITIVE_INFINITY, 1e308]) {
      const broken = { dates, closes: closes.map((close, i) => (i === 660 ? bad : close)) };
      expect(() => computeExposures({ symbol: broken, proxies: set })).toThrow(
        expect.objectContaining({ code: 'calculation_failed', retryable: false }),
      );
    }
  });

  test('is stored as twelve placeholders with one reason', () => {
    for (const reason of defaultReasons) {
      const rows = defaultExposures({ reason, windowEnd: '2026-07-30' });
      expect(rows.map(({ beta }) => beta)).toEqual([1, ...Array.from({ length: 11 }, () => 0)]);
      for (const row of rows) {
        expect(row).toMatchObject({ reason, quality: 'default', observations: 0, windowEnd: '2026-07-30' });
      }
      expect(isPartial(rows)).toBe(true);
      expect(worstQuality(rows)).toBe('default');
    }
  });

  test('equity factors say nothing about currencies and options', () => {
    expect(hasExposures('CURRENCY')).toBe(false);
    expect(hasExposures('OPTION')).toBe(false);
    for (const type of ['EQUITY', 'ETF', 'MUTUALFUND', 'INDEX', 'CRYPTOCURRENCY', 'FUTURE'] as const) {
      expect(hasExposures(type)).toBe(true);
    }
  });
});
