import Big from 'big.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rateBetween, rateSymbolOf, rateSymbolsBetween } from '../../src/market/rates.ts';

const closes = { 'EURUSD=X': '1.0436', 'GBPUSD=X': '1.25', 'USDJPY=X': '150', 'USDKWD=X': '0.3' };

describe('the series of a currency', () => {
  test.each([
    ['EUR', 'EURUSD=X'],
    ['GBP', 'GBPUSD=X'],
    ['JPY', 'USDJPY=X'],
    ['CHF', 'USDCHF=X'],
    ['USD', null],
  ])('of %s is the one that the market quotes: %s', (currency, symbol) => {
    expect(rateSymbolOf(currency)).toBe(symbol);
  });

  test('is shared by all that convert from it or into it', () => {
    expect(rateSymbolsBetween('EUR', 'USD')).toEqual(['EURUSD=X']);
    expect(rateSymbolsBetween('USD', 'EUR')).toEqual(['EURUSD=X']);
    expect(rateSymbolsBetween('JPY', 'EUR')).toEqual(['EURUSD=X', 'USDJPY=X']);
    expect(rateSymbolsBetween('JPY', 'JPY')).toEqual([]);
  });
});

describe('a rate', () => {
  test.each([
    ['EUR', 'USD', '1.0436'],
    ['USD', 'EUR', '0.958221540820237639'],
    ['JPY', 'USD', '0.006666666666666667'],
    ['EUR', 'JPY', '156.54'],
    ['EUR', 'GBP', '0.83488'],
    ['JPY', 'KWD', '0.002'],
    ['SEK', 'SEK', '1'],
    ['SEK', 'USD', null],
    ['EUR', 'SEK', null],
  ])('from %s to %s is %s', (from, to, rate) => {
    expect(rateBetween({ from, to }, closes)).toBe(rate);
  });

  test('and its inverse, and the third side of a triangle, agree to the last digits (property)', () => {
    const close = fc.integer({ min: 1, max: 10 ** 9 }).map((n) => Big(n).div(10_000).toFixed());
    const currency = fc.constantFrom('USD', 'EUR', 'GBP', 'JPY', 'KWD');
    const market = fc.record({ 'EURUSD=X': close, 'GBPUSD=X': close, 'USDJPY=X': close, 'USDKWD=X': close });
    fc.assert(
      fc.property(market, currency, currency, currency, (quoted, a, b, c) => {
        const rate = (from: string, to: string) => Big(rateBetween({ from, to }, quoted)!);
        const [there, on, across] = [rate(a, b), rate(b, c), rate(a, c)];
        // Each of them is off by half a unit of the 18th decimal at most.
        const error = Big('1e-18').times(there.plus(on).plus(1)).plus('1e-36');
        expect(there.times(on).minus(across).abs().lte(error)).toBe(true);
      }),
      { numRuns: 300, seed: 20260731 },
    );
  });
});
