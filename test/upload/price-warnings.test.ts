import { expect, test } from 'vitest';
import { marketRemarks } from '../../src/upload/price-warnings.ts';
import { lotOf } from '../portfolio/holdings.ts';

const splitsOf = (symbol: string) =>
  symbol === 'AAPL' ? [{ date: '2025-06-30', numerator: '4', denominator: '1' }] : [];

const quotes = new Map(
  [
    ['VOD.L', 'GBP', '0.7210'],
    ['SAP.DE', 'EUR', null],
    ['AAPL', 'USD', '172'],
    ['ODD', null, null],
  ].map(([symbol, currency, lastClose]) => [
    symbol!,
    {
      symbol: symbol!,
      currency: currency!,
      lastClose: lastClose!,
      priceDate: null,
      splits: splitsOf(symbol!),
    },
  ]),
);
const remarks = (lots: Parameters<typeof lotOf>[0][], baseCurrency = 'USD') =>
  marketRemarks(
    lots.map((lot, at) => lotOf({ line: at + 2, ...lot })),
    { quotes, baseCurrency },
  ).map(({ code, line, value }) => [code, line, value]);

test('names each currency once, by its first line, also of a symbol that has no price yet', () => {
  const lots = ['AAPL', 'SAP.DE', 'VOD.L', 'SAP.DE', 'ODD', 'NEVER'].map((symbol) => ({
    symbol,
    entryPrice: '1',
    entryDate: '2026-01-05',
  }));
  expect(remarks(lots)).toEqual([
    ['WARN_POS_003', 3, 'EUR'],
    ['WARN_POS_003', 4, 'GBP'],
  ]);
});

test('suspects pence in an entry price far above the close, unless the row says its unit', () => {
  const lot = { symbol: 'VOD.L', entryPrice: '72' };
  expect(remarks([lot, { ...lot, currency: 'GBP', quoteUnit: 'GBX' }], 'GBP')).toEqual([
    ['WARN_POS_004', 2, '72'],
  ]);
});

test('names the lots that a split came after', () => {
  const lot = { symbol: 'AAPL', entryPrice: '172' };
  expect(remarks([lot, { ...lot, entryDate: '2025-06-30' }])).toEqual([['split_since_entry', 2, '10']]);
});

test('says nothing of lots that are closed, or in a currency that their row names', () => {
  const closed = { symbol: 'VOD.L', entryPrice: '72', exitDate: '2025-03-03' };
  expect(remarks([closed, { symbol: 'SAP.DE', currency: 'USD' }])).toEqual([]);
});

test('says once which currency is assumed for the gain of closed lots of unknown currency', () => {
  const closed = { symbol: 'GONE', exitDate: '2025-03-03', exitPrice: '110' };
  const named = { ...closed, currency: 'EUR' };
  const known = { ...closed, symbol: 'AAPL' };
  const expected = [['WARN_POS_005', 4, 'GONE']];
  expect(remarks([known, named, closed, { ...closed, symbol: 'ODD' }], 'JPY')).toEqual(expected);
  expect(remarks([known, named, { ...closed, exitPrice: null }, { symbol: 'NEVER' }], 'JPY')).toEqual([]);
});

test('gives as many suspicions as anybody would read', () => {
  const lots = Array.from({ length: 150 }, () => ({ symbol: 'VOD.L', entryPrice: '72' }));
  expect(remarks(lots, 'GBP')).toHaveLength(100);
});
