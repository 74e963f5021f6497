import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimalOf, movePoint, plainDecimal } from '../../src/market/decimals.ts';
import { majorUnit } from '../../src/market/minor-units.ts';

const positive = fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true });
const float32 = fc.float({ min: Math.fround(1e-30), max: Math.fround(3e38), noNaN: true });

describe('a price as its provider meant it', () => {
  test.each([
    [239.64999389648438, '239.65'],
    [1286.5699462890625, '1286.57'],
    [7200.17431640625, '7200.1743'],
    [1.1220825910568237, '1.1220826'],
    [73.72000122070312, '73.72'],
    [1259.5, '1259.5'],
    [16_777_216, '16777216'],
    [0.1, '0.1'],
    [305.3, '305.3'],
    [0.30000000000000004, '0.30000000000000004'],
    [Math.fround(1e-10), '0.0000000001'],
    [1e21, '1000000000000000000000'],
    [1.5e-7, '0.00000015'],
  ])('%d is %s', (price, expected) => {
    expect(decimalOf(price)).toBe(expected);
  });

  test('maps back to the same float32, or to the same double where it was none', () => {
    fc.assert(
      fc.property(fc.oneof(positive, float32), (price) => {
        const back = Number(decimalOf(price));
        if (Math.fround(price) === price) expect(Math.fround(back)).toBe(price);
        else expect(back).toBe(price);
      }),
    );
  });

  test('a price with up to 7 digits survives its journey through float32', () => {
    const cents = fc.integer({ min: 1, max: 9_999_999 }).map((count) => movePoint(String(count), -2));
    fc.assert(
      fc.property(cents, (price) => {
        expect(decimalOf(Math.fround(Number(price)))).toBe(price);
      }),
    );
  });

  test('never shows an exponent', () => {
    fc.assert(
      fc.property(fc.oneof(positive, float32), (price) => {
        expect(decimalOf(price)).toMatch(/^(0|[1-9]\d*)(\.\d*[1-9])?$/);
        expect(Number(plainDecimal(price))).toBe(price);
      }),
    );
  });

  test('what is no number is refused', () => {
    expect(() => plainDecimal(Number.NaN)).toThrow('expected a finite number, got: NaN');
    expect(() => decimalOf(Number.POSITIVE_INFINITY)).toThrow('got: Infinity');
  });
});

describe('quotes in minor units', () => {
  test.each([
    ['GBp', 'GBP', 2],
    ['GBX', 'GBP', 2],
    ['ZAc', 'ZAR', 2],
    ['ILA', 'ILS', 2],
    ['GBP', 'GBP', 0],
    ['USD', 'USD', 0],
    ['JPY', 'JPY', 0],
  ])('%s is %s, shifted by %d places', (quoteUnit, currency, places) => {
    expect(majorUnit(quoteUnit)).toEqual({ currency, places });
  });

  test.each([
    ['239.65', -2, '2.3965'],
    ['5', -2, '0.05'],
    ['0.5', -2, '0.005'],
    ['100', -2, '1'],
    ['-12.5', -2, '-0.125'],
    ['1.5', 3, '1500'],
    ['0.05', 1, '0.5'],
    ['123.4500', 0, '123.45'],
    ['0', -2, '0'],
  ])('%s moved by %d is %s', (decimal, places, expected) => {
    expect(movePoint(decimal, places)).toBe(expected);
  });

  test('the point moves there and back without a trace', () => {
    const places = fc.integer({ min: -30, max: 30 });
    fc.assert(
      fc.property(positive, places, (value, by) => {
        const decimal = plainDecimal(value);
        expect(movePoint(movePoint(decimal, by), -by)).toBe(decimal);
      }),
    );
  });
});
