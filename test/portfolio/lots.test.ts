import { describe, expect, test } from 'vitest';
import { currencyOf, neededSymbol, neededSymbols } from '../../src/portfolio/lots.ts';

const open = { symbol: 'X', underlyingSymbol: 'SPY', exitDate: null };

describe('neededSymbol', () => {
  test.each([
    ['PUBLIC', 'X'],
    ['OPTIONS', 'SPY'],
    ['PRIVATE', null],
    ['CASH', null],
  ] as const)('an open %s lot needs %s', (investmentClass, needs) => {
    expect(neededSymbol({ ...open, investmentClass })).toBe(needs);
    expect(neededSymbol({ ...open, investmentClass, exitDate: '2025-06-30' })).toBeNull();
  });
});

test('neededSymbols gives each symbol once, ascending by code unit as the database sorts', () => {
  const lots = ['MSFT', null, '^GSPC', 'AAPL', 'MSFT', '7203.T'].map((needs) => ({ needs }));
  expect(neededSymbols(lots)).toEqual(['7203.T', 'AAPL', 'MSFT', '^GSPC']);
});

test.each([
  ['PUBLIC', 'EUR', 'GBP', 'EUR'],
  ['PUBLIC', null, 'GBP', 'GBP'],
  ['PUBLIC', null, null, null],
  ['OPTIONS', null, 'GBP', 'GBP'],
  ['PRIVATE', null, null, 'USD'],
  ['PRIVATE', 'EUR', null, 'EUR'],
] as const)(
  'a %s lot with currency %s and a symbol in %s is in %s',
  (investmentClass, currency, symbolCurrency, of) => {
    expect(currencyOf({ investmentClass, currency }, { symbolCurrency, baseCurrency: 'USD' })).toBe(of);
  },
);
