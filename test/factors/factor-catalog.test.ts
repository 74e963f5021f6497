import { expect, test } from 'vitest';
import { factors } from '../../src/factors/factor-catalog.ts';
import { proxies } from '../../src/market/proxy-set.ts';

test('the twelve factors keep their ids: they are stored, and part of the API', () => {
  expect(factors.map(({ id }) => id)).toEqual([
    'market_beta',
    'ir_beta',
    'value',
    'growth',
    'momentum',
    'quality',
    'size',
    'low_volatility',
    'growth_value_spread',
    'momentum_spread',
    'size_spread',
    'quality_spread',
  ]);
});

test('every proxy is used, spreads have two legs over 180 days, and all others one over 90', () => {
  expect(new Set<string>(factors.flatMap(({ long, short }) => [long, short ?? long]))).toEqual(
    new Set(proxies),
  );
  for (const { group, short, window, minimum } of factors) {
    const spread = group === 'spread';
    expect([short !== null, window, minimum]).toEqual(spread ? [true, 180, 60] : [false, 90, 30]);
  }
});

test('only the placeholder of the market beta is 1', () => {
  expect(factors.filter(({ placeholder }) => placeholder !== 0).map(({ id }) => id)).toEqual(['market_beta']);
});
