import Big from 'big.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isCurrency,
  minorDigits,
  readCurrency,
  toMajor,
  unusualMinorDigits,
} from '../../src/market/currency.ts';

describe('readCurrency', () => {
  test.each(['USD', 'usd', 'Usd'])('reads %s as dollars', (text) => {
    expect(readCurrency(text)).toEqual({ currency: 'USD', quoteUnit: null });
  });

  test.each([
    ['GBp', 'GBP', 'GBp'],
    ['GBX', 'GBP', 'GBX'],
    ['gbx', 'GBP', 'GBX'],
    ['ZAc', 'ZAR', 'ZAc'],
    ['ZAC', 'ZAR', 'ZAc'],
    ['ILA', 'ILS', 'ILA'],
  ])('reads %s as a hundredth of %s', (text, currency, quoteUnit) => {
    expect(readCurrency(text)).toEqual({ currency, quoteUnit });
  });

  test('tells pence from pounds by case alone, and refuses a case that is neither', () => {
    expect(readCurrency('GBP')).toEqual({ currency: 'GBP', quoteUnit: null });
    expect(readCurrency('gbp')).toEqual({ currency: 'GBP', quoteUnit: null });
    expect(readCurrency('Gbp')).toBeNull();
    expect(readCurrency('gBP')).toBeNull();
  });

  test.each(['', '$', 'US', 'USDT', 'XYZ', 'XXX', 'XAU', 'DEM', 'BTC'])('does not know %j', (text) => {
    expect(readCurrency(text)).toBeNull();
  });
});

describe('toMajor', () => {
  test('moves the point of a price in pence, and leaves others alone', () => {
    expect(toMajor('7250', 'GBp')).toBe('72.5');
    expect(toMajor('0.000001', 'ILA')).toBe('0.00000001');
    expect(toMajor('172.4', null)).toBe('172.4');
  });

  test('is exact at any size (property)', () => {
    const price = fc
      .tuple(fc.bigInt(0n, 10n ** 15n - 1n), fc.integer({ min: 0, max: 999_999 }))
      .map(([whole, decimals]) => `${whole}.${String(decimals).padStart(6, '0')}`);
    fc.assert(
      fc.property(price, (text) => {
        expect(new Big(toMajor(text, 'GBX')).times(100).eq(text)).toBe(true);
      }),
    );
  });
});

describe('minorDigits', () => {
  test.each([
    ['USD', 2],
    ['EUR', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['KWD', 3],
    ['RSD', 2], // ICU says 0: the coins in use, not ISO 4217
  ])('gives %s its ISO 4217 digits, %i', (currency, digits) => {
    expect(minorDigits(currency)).toBe(digits);
  });

  test('lists every currency that has not two', () => {
    for (const [currency, digits] of unusualMinorDigits) {
      expect(isCurrency(currency)).toBe(true);
      expect(digits).not.toBe(2);
      expect(minorDigits(currency)).toBe(digits);
    }
  });

  test('knows no currency that Intl has never heard of', () => {
    // Added to ISO 4217 after the ICU of older Nodes was made.
    const recent = ['SLE', 'VED', 'XCG', 'ZWG'];
    const known = new Set([...Intl.supportedValuesOf('currency'), ...recent]);
    const codes = [...known].filter(isCurrency);
    expect(codes.length).toBeGreaterThan(150);
    for (const a of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
      for (const b of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
        for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
          if (isCurrency(a + b + c)) expect(known).toContain(a + b + c);
  });
});
