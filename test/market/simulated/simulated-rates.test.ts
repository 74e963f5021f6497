import { describe, expect, test } from 'vitest';
import { simulatedPair } from '../../../src/market/simulated/simulated-rates.ts';
import { simulatedBars } from '../../../src/market/simulated/simulation.ts';

const session = '2026-07-31';
const closesOf = (symbol: string, seed = 1) =>
  simulatedBars({ seed, symbol, from: '2026-07-01', session }).map(({ close }) => Number(close));

describe('the pair of a symbol', () => {
  test.each([
    ['EURUSD=X', { base: 'EUR', quote: 'USD' }],
    ['JPY=X', { base: 'USD', quote: 'JPY' }],
    ['ES=F', null],
    ['EURUSD', null],
    ['EURO1=X', null],
  ])('%s is %o', (symbol, pair) => {
    expect(simulatedPair(symbol)).toEqual(pair);
  });
});

describe('a simulated exchange rate', () => {
  test.each([
    ['EURUSD=X', 0.8, 1.4],
    ['USDJPY=X', 110, 210],
    ['GBPJPY=X', 140, 270],
    ['VNDUSD=X', 3e-5, 5.5e-5],
  ])('%s lies where one would look for it, with six digits', (symbol, low, high) => {
    for (const bar of simulatedBars({ seed: 1, symbol, from: '2026-07-01', session })) {
      expect(Number(bar.close)).toBeGreaterThan(low);
      expect(Number(bar.close)).toBeLessThan(high);
      expect(bar.close.replace('.', '').replace(/^0+/, '').length).toBeGreaterThanOrEqual(6);
    }
  });

  test('is the inverse of its inverse, and the same under its short name', () => {
    const [there, back] = [closesOf('EURUSD=X'), closesOf('USDEUR=X')];
    expect(there).toHaveLength(23);
    there.forEach((close, index) => {
      expect(close * back[index]!).toBeCloseTo(1, 4);
    });
    expect(closesOf('JPY=X')).toEqual(closesOf('USDJPY=X'));
    expect(closesOf('USDUSD=X').every((close) => close === 1)).toBe(true);
  });

  test('closes every triangle', () => {
    const [pound, yen, cross] = ['GBPUSD=X', 'USDJPY=X', 'GBPJPY=X'].map((symbol) => closesOf(symbol));
    cross!.forEach((close, index) => {
      expect(close / (pound![index]! * yen![index]!)).toBeCloseTo(1, 4);
    });
  });

  test('moves by some tenths of a per cent a day, and belongs to its seed', () => {
    const closes = closesOf('EURUSD=X');
    const moves = closes.slice(1).map((close, index) => Math.abs(close / closes[index]! - 1));
    expect(Math.max(...moves)).toBeLessThan(0.03);
    expect(moves.filter((move) => move > 0).length).toBeGreaterThan(15);
    expect(closesOf('EURUSD=X', 2)).not.toEqual(closes);
  });
});
