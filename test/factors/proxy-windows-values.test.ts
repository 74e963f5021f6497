import { describe, test } from 'vitest';
import { computeExposures } from '../../src/factors/compute-exposures.ts';
import { type Exposure, factors } from '../../src/factors/factor-catalog.ts';
import { type ProxySet, proxies } from '../../src/market/proxy-set.ts';
import { expectNear } from '../support/near.ts';
import { hasSharedData, readSharedJson, readSharedText } from '../support/shared-data.ts';

// Made by R 4.2.2: lm() for the univariate fits; the ridge solved in R and checked against MASS::lm.ridge and
// scikit-learn. `meta` in the file has the windows and the definitions.
interface RFit {
  beta: number;
  alpha: number;
  r2: number;
  seBeta: number;
  tBeta: number;
  n: number;
}
interface RExpected {
  market_SPY_90: RFit;
  rates_TLT_90: RFit;
  ridge_style_90: {
    coefficients: Record<string, number>;
    cappedCoefficients: Record<string, number>;
    intercept: number;
    r2: number;
  };
  spreads_180: Record<string, RFit>;
}
interface Expected {
  meta: Record<'window90' | 'window180', { firstReturnDate: string; lastReturnDate: string }>;
  expected: Record<string, RExpected>;
}
interface Inputs {
  dates: string[];
  closes: Record<string, number[]>;
}

describe('the twelve betas of real stocks', () => {
  test.skipIf(!hasSharedData('factors/expected.json'))(
    'are those of R to 1e-9 (real data, outside the repository)',
    ({ expect }) => {
      const { dates, closes } = readSharedJson<Inputs>('factors/inputs.json');
      const { meta, expected } = readSharedJson<Expected>('factors/expected.json');
      const seriesOf = (symbol: string) => ({ dates, closes: closes[symbol]! });
      const set = {
        version: dates.at(-1)!,
        closes: Object.fromEntries(proxies.map((p) => [p, seriesOf(p)])),
      };

      expect(Object.keys(expected)).toHaveLength(5);
      for (const [symbol, r] of Object.entries(expected)) {
        const rows = computeExposures({
          symbol: seriesOf(symbol),
          proxies: set as ProxySet,
        });
        expect(rows).toHaveLength(12);
        for (const [i, row] of rows.entries()) {
          const { firstReturnDate, lastReturnDate } = meta[row.window === 90 ? 'window90' : 'window180'];
          expect([row.windowStart, row.windowEnd, row.quality]).toEqual([
            firstReturnDate,
            lastReturnDate,
            'full_history',
          ]);
          expectRow({ symbol, row, r, factor: factors[i]! });
        }
      }
    },
  );
});

describe('real symbols with little history', () => {
  // Returns on the proxies' calendar: one fewer than closes, none for the one delisted in 2012.
  const returnsOf = { AACIW: 0, AAOZ: 12, AADX: 40, ACAA: 77, AAOX: 89, AAUA: 92, AACIU: 113, CAPNR: 0 };

  test.skipIf(!hasSharedData('prices/edge-short-history-tidy.csv'))(
    'are measured on what they have (real data, outside the repository)',
    ({ expect }) => {
      const [header, ...lines] = readSharedText('prices/us-daily-adjclose-wide.csv').trim().split('\n');
      const names = header!.split(',');
      const wide = lines.map((line) => line.split(','));
      const dates = wide.map((cells) => cells[0]!);
      const column = (name: string) => wide.map((cells) => Number(cells[names.indexOf(name)]));
      const closes = Object.fromEntries(proxies.map((p) => [p, { dates, closes: column(p) }]));
      const set = { version: dates.at(-1)!, closes } as ProxySet;
      const short = readSharedText('prices/edge-short-history-tidy.csv').trim().split('\n').slice(1);
      const tidy = short.map((line) => line.split(','));

      for (const [name, count] of Object.entries(returnsOf)) {
        const own = tidy.filter(([, symbol]) => symbol === name);
        const symbol = { dates: own.map(([date]) => date!), closes: own.map(([, , close]) => Number(close)) };
        for (const row of computeExposures({ symbol, proxies: set })) {
          expect(row.observations).toBe(Math.min(count, row.window));
          const measured = count >= (row.window === 90 ? 30 : 60);
          expect(row.quality === 'default', `${name} ${row.factor} is a default`).toBe(!measured);
          expect(row.windowEnd).toBe(symbol.dates.at(-1));
        }
      }
    },
  );
});

function expectRow(input: {
  symbol: string;
  row: Exposure;
  r: RExpected;
  factor: (typeof factors)[number];
}): void {
  const { symbol, row, r, factor } = input;
  const what = (field: string) => `${symbol} ${factor.id} ${field}`;
  if (factor.method === 'ridge') {
    expectNear(row.rawBeta, r.ridge_style_90.coefficients[factor.long]!, what('rawBeta'));
    expectNear(row.beta, r.ridge_style_90.cappedCoefficients[factor.long]!, what('beta'));
    expectNear(row.intercept, r.ridge_style_90.intercept, what('intercept'));
    expectNear(row.rSquared, r.ridge_style_90.r2, what('rSquared'));
    return;
  }
  const fit = {
    market: r.market_SPY_90,
    rates: r.rates_TLT_90,
    spread: r.spreads_180[`${factor.long}-${factor.short}`]!,
  }[factor.group];
  expectNear(row.rawBeta, fit.beta, what('rawBeta'));
  expectNear(row.intercept, fit.alpha, what('intercept'));
  expectNear(row.standardError, fit.seBeta, what('standardError'));
  expectNear(row.t, fit.tBeta, what('t'));
  expectNear(row.rSquared, fit.r2, what('rSquared'));
  expectNear(row.observations, fit.n, what('observations'));
}
