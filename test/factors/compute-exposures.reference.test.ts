import { describe, expect, test } from 'vitest';
import { computeExposures } from '../../src/factors/compute-exposures.ts';
import { type Exposure, factors } from '../../src/factors/factor-catalog.ts';
import { type DailyCloses, type ProxySet, proxies } from '../../src/market/proxy-set.ts';
import { fixtureRows } from '../support/fixtures.ts';
import { expectNear } from '../support/near.ts';

const closes = fixtureRows('betas/closes.csv');
const seriesOf = (symbol: string): DailyCloses => {
  const traded = closes.filter((row) => row[symbol] !== '');
  return { dates: traded.map(({ date }) => date!), closes: traded.map((row) => Number(row[symbol])) };
};
const set: ProxySet = {
  version: closes.at(-1)!.date!,
  closes: Object.fromEntries(proxies.map((p) => [p, seriesOf(p)])) as ProxySet['closes'],
};

const expected = Map.groupBy(fixtureRows('betas/expected.csv'), ({ symbol }) => symbol!);
const numbers = [
  ...['observations', 'rawBeta', 'beta', 'intercept', 'rSquared', 'standardError', 't'],
  ...['intervalLow', 'intervalHigh', 'conditionNumber'],
] as (keyof Exposure)[];

describe('the twelve betas', () => {
  test.each([...expected])('of %s are those of R', (symbol, fits) => {
    const rows = computeExposures({ symbol: seriesOf(symbol), proxies: set });
    expect(rows.map(({ factor }) => factor)).toEqual(fits.map(({ factor }) => factor));
    for (const [i, row] of rows.entries()) {
      const fit = fits[i]!;
      expect(row).toMatchObject({
        windowStart: fit.windowStart,
        windowEnd: fit.windowEnd,
        quality: Number(fit.observations) < row.window ? 'limited_history' : 'full_history',
        capped: fit.beta !== fit.rawBeta,
      });
      for (const name of numbers) {
        if (fit[name] === '') expect(row[name], `${row.factor} ${name}`).toBeNull();
        else expectNear(row[name] as number | null, Number(fit[name]), `${row.factor} ${name}`);
      }
    }
  });

  test('are compared for every kind of symbol', () => {
    expect([...expected.keys()]).toEqual(['STEADY', 'GROWER', 'INVERSE', 'LEVERED', 'NOISE', 'YOUNG']);
    const rows = [...expected.values()].flat();
    expect(rows).toHaveLength(6 * factors.length);
    expect(rows.filter(({ beta, rawBeta }) => beta !== rawBeta).length).toBeGreaterThan(1);
    expect(rows.filter(({ beta }) => Number(beta) < -1).length).toBeGreaterThan(1);
  });
});

describe('a symbol with little history', () => {
  // One return fewer than closes. 30 are enough for the windows of 90 days, 60 for those of 180.
  test.each([1, 13, 31, 41, 61, 78, 90, 91, 93, 114])('is measured on what it has: %i closes', (count) => {
    const { dates, closes } = seriesOf('STEADY');
    const symbol = { dates: dates.slice(-count), closes: closes.slice(-count) };
    for (const row of computeExposures({ symbol, proxies: set })) {
      expect(row).toMatchObject({ observations: Math.min(count - 1, row.window), windowEnd: set.version });
      const measured = count - 1 >= (row.window === 90 ? 30 : 60);
      expect(row.quality === 'default', `${row.factor} is a default`).toBe(!measured);
    }
  });

  test('that ended before the proxies began gets defaults, dated on its last close', () => {
    const symbol = { dates: ['2012-11-29', '2012-11-30'], closes: [25.3, 25.31] };
    for (const row of computeExposures({ symbol, proxies: set }))
      expect(row).toMatchObject({ observations: 0, quality: 'default', windowEnd: '2012-11-30' });
  });
});
