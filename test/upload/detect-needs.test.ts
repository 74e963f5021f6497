import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SymbolState } from '../../src/universe/symbol-state.ts';
import { detectNeeds } from '../../src/upload/detect-needs.ts';

const friday = '2026-07-31';
const freshness = { lastSession: friday, priceMaxAgeDays: 3 };
const fresh: SymbolState = {
  symbol: 'AAPL',
  isActive: true,
  isReady: true,
  lastPriceDate: friday,
  currency: 'USD',
  historyFrom: '2025-07-31',
  unfinishedJobId: null,
};
const aapl = [{ needs: 'AAPL' }];

/** What becomes of AAPL in this state; without one it has no row. */
const detect = (change?: Partial<SymbolState>) =>
  detectNeeds({ lots: aapl, states: change ? [{ ...fresh, ...change }] : [], ...freshness });
const nothing = {
  known: [],
  stale: [],
  unpriced: [],
  settled: [],
  joining: [],
  needed: [],
  shallow: [],
  rates: [],
};

describe('a symbol', () => {
  test('that is active, fresh and ready needs nothing', () => {
    expect(detect({})).toEqual({ ...nothing, known: ['AAPL'], settled: ['AAPL'] });
  });

  test('that is in no universe needs a job', () => {
    const needed = [{ symbol: 'AAPL', reason: 'upload' }];
    expect(detect()).toEqual({ ...nothing, unpriced: ['AAPL'], needed });
    expect(detect({ isActive: false, isReady: false, lastPriceDate: null })).toEqual(detect());
    expect(detect({ isActive: false })).toEqual(detect());
    expect(detect({ lastPriceDate: null })).toEqual(detect());
  });

  test('that has grown old is valued at its stored close, and a refresh is wanted', () => {
    const needed = [{ symbol: 'AAPL', reason: 'refresh' }];
    expect(detect({ lastPriceDate: '2026-07-27' })).toEqual({ ...nothing, stale: ['AAPL'], needed });
  });

  test('whose job died behind the universe phase is known, and needs a job', () => {
    const needed = [{ symbol: 'AAPL', reason: 'upload' }];
    expect(detect({ isReady: false })).toEqual({ ...nothing, known: ['AAPL'], needed });
  });

  test('with an unfinished job is joined, whatever else is true of it', () => {
    const joining = [{ symbol: 'AAPL', jobId: 'j1' }];
    const unfinishedJobId = 'j1';
    expect(detect({ unfinishedJobId })).toEqual({ ...nothing, known: ['AAPL'], joining });
    expect(detect({ unfinishedJobId, lastPriceDate: '2026-07-01' })).toEqual({
      ...nothing,
      stale: ['AAPL'],
      joining,
    });
    expect(detect({ unfinishedJobId, isActive: false })).toEqual({ ...nothing, unpriced: ['AAPL'], joining });
  });
});

describe('the history of a symbol', () => {
  const held = (entryDate: string) => [{ needs: 'AAPL', investmentClass: 'PUBLIC' as const, entryDate }];
  const since = (entryDate: string) => detectNeeds({ lots: held(entryDate), states: [fresh], ...freshness });

  test('that does not reach back to the entry of a lot is told, and nobody waits for it', () => {
    expect(since('2025-07-31')).toEqual(detect({}));
    const shallow = [{ symbol: 'AAPL', since: '2025-07-30' }];
    expect(since('2025-07-30')).toEqual({ ...detect({}), shallow });
    const lots = [...held('2026-01-05'), ...held('2025-07-30'), ...held('2025-07-31')];
    expect(detectNeeds({ lots, states: [fresh], ...freshness }).shallow).toEqual(shallow);
    expect(detectNeeds({ lots, states: [{ ...fresh, historyFrom: null }], ...freshness }).shallow).toEqual(
      [],
    );
  });
});

describe('an exchange rate', () => {
  const euro = { ...fresh, symbol: 'EURUSD=X', historyFrom: '2024-03-01' };
  const rated = (since: string, states: SymbolState[] = [euro]) =>
    detectNeeds({
      lots: aapl,
      rates: new Map([['EURUSD=X', since]]),
      states: [fresh, ...states],
      ...freshness,
    });

  test('is needed like a symbol, but nobody uploaded it', () => {
    const needed = [{ symbol: 'EURUSD=X', reason: 'upload' }];
    expect(rated('2026-01-05', [])).toMatchObject({ unpriced: ['EURUSD=X'], needed, rates: ['EURUSD=X'] });
    expect(rated('2026-01-05')).toMatchObject({ settled: ['AAPL', 'EURUSD=X'], needed: [] });
  });

  test('that does not reach back to ten days before the entry is fetched again, for without it there is no cost', () => {
    expect(rated('2024-03-11').needed).toEqual([]);
    expect(rated('2024-03-10').needed).toEqual([{ symbol: 'EURUSD=X', reason: 'upload' }]);
    expect(rated('2024-03-11', [{ ...euro, historyFrom: null }]).needed).toHaveLength(1);
  });

  test('that has grown old is refreshed', () => {
    expect(rated('2026-01-05', [{ ...euro, lastPriceDate: '2026-07-27' }]).needed).toEqual([
      { symbol: 'EURUSD=X', reason: 'refresh' },
    ]);
  });

  test('that somebody holds as well is a symbol of the upload', () => {
    const lots = [{ needs: 'EURUSD=X' }];
    const found = detectNeeds({
      lots,
      rates: new Map([['EURUSD=X', '2026-01-05']]),
      states: [],
      ...freshness,
    });
    expect(found).toMatchObject({ needed: [{ symbol: 'EURUSD=X' }], rates: [] });
  });
});

describe('detectNeeds', () => {
  test('looks at each needed symbol once and at no other', () => {
    const lots = ['MSFT', 'AAPL', null, 'MSFT'].map((needs) => ({ needs }));
    const states = [fresh, { ...fresh, symbol: 'TSLA', isReady: false }];
    expect(detectNeeds({ lots, states, ...freshness })).toEqual({
      ...nothing,
      known: ['AAPL'],
      unpriced: ['MSFT'],
      settled: ['AAPL'],
      needed: [{ symbol: 'MSFT', reason: 'upload' }],
    });
  });

  test('splits the symbols twice, without gap or overlap, ascending (property)', () => {
    const symbol = fc.constantFrom('A', 'B', 'C', 'D', 'E', '^F', '1.T');
    const state = fc.record({
      symbol,
      isActive: fc.boolean(),
      isReady: fc.boolean(),
      lastPriceDate: fc.constantFrom(null, friday, '2026-07-28', '2026-07-27', '2025-01-02'),
      currency: fc.constant(null),
      historyFrom: fc.constant(null),
      unfinishedJobId: fc.constantFrom(null, 'j1', 'j2'),
    });
    const lots = fc.array(fc.record({ needs: fc.option(symbol) }));
    const states = fc.uniqueArray(state, { selector: (s) => s.symbol });
    fc.assert(
      fc.property(lots, states, (lots, states) => {
        const found = detectNeeds({ lots, states, ...freshness });
        const all = [...new Set(lots.flatMap(({ needs }) => needs ?? []))].sort();
        const joined = found.joining.map((s) => s.symbol);
        const needed = found.needed.map((s) => s.symbol);
        expect([...found.known, ...found.stale, ...found.unpriced].sort()).toEqual(all);
        expect([...found.settled, ...joined, ...needed].sort()).toEqual(all);
        for (const list of [found.known, found.stale, found.unpriced, found.settled, joined, needed]) {
          expect(list).toEqual(list.toSorted());
        }
        expect(found.settled.every((s) => found.known.includes(s))).toBe(true);
        for (const { symbol: s, reason } of found.needed)
          expect(reason === 'refresh').toBe(found.stale.includes(s));
      }),
      { numRuns: 500 },
    );
  });
});
