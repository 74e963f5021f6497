import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columns } from '../../src/import/columns.ts';
import { validatePositions } from '../../src/import/validate-positions.ts';
import { cash, codes, codesOf, lotOf, option, readJson, soundRow } from '../portfolio/uploads.ts';

describe('a lot', () => {
  test('carries what the row says, with the defaults of an open public lot', () => {
    expect(lotOf({})).toEqual({
      line: 1,
      symbol: 'AAPL',
      needs: 'AAPL',
      investmentClass: 'PUBLIC',
      investmentSubtype: null,
      underlyingSymbol: null,
      strikePrice: null,
      expirationDate: null,
      optionType: null,
      quantity: '10',
      multiplier: 1,
      entryPrice: '172.4',
      entryDate: '2025-06-30',
      exitDate: null,
      exitPrice: null,
      currency: null,
      quoteUnit: null,
    });
  });

  test('needs no prices once it is closed', () => {
    const closed = lotOf({ exit_date: '2025-07-01', exit_price: '180.5' });
    expect(closed).toMatchObject({ needs: null, exitDate: '2025-07-01', exitPrice: '180.5' });
  });

  test('may be short, of a fraction, in any case and with space around', () => {
    expect(lotOf({ symbol: ' brk.b ', quantity: ' -0.000001 ', investment_class: 'public' })).toMatchObject({
      symbol: 'BRK-B',
      quantity: '-0.000001',
      investmentClass: 'PUBLIC',
    });
  });

  test('has all its prices in the major unit when the row gives pence', () => {
    expect(lotOf({ ...option, entry_price: '150', currency: 'GBp' })).toMatchObject({
      entryPrice: '1.5',
      strikePrice: '2.5',
      currency: 'GBP',
      quoteUnit: 'GBp',
    });
    const sold = lotOf({ currency: 'ZAc', exit_date: '2025-07-01', exit_price: '7' });
    expect(sold).toMatchObject({ entryPrice: '1.724', exitPrice: '0.07', currency: 'ZAR' });
  });

  test('takes dates from 100 years ago to today', () => {
    expect(lotOf({ entry_date: '2026-07-31' }).entryDate).toBe('2026-07-31');
    expect(lotOf({ entry_date: '1926-07-31' }).entryDate).toBe('1926-07-31');
  });

  test('may be closed on the day it was opened, for nothing', () => {
    expect(lotOf({ exit_date: '2025-06-30', exit_price: '0' }).exitPrice).toBe('0');
  });
});

describe('an option', () => {
  test('is a hundred shares a contract and needs its underlying', () => {
    expect(lotOf(option)).toMatchObject({
      investmentClass: 'OPTIONS',
      multiplier: 100,
      needs: 'AAPL',
      underlyingSymbol: 'AAPL',
      strikePrice: '250',
      expirationDate: '2028-01-21',
      optionType: 'CALL',
    });
  });

  test('is what a row without a class is where any option column is filled', () => {
    expect(lotOf({ ...option, investment_class: '' }).investmentClass).toBe('OPTIONS');
    const underlyingOnly = { underlying_symbol: 'AAPL' };
    expect(codesOf(underlyingOnly)).toEqual(['ERR_POS_019', 'ERR_POS_020', 'ERR_POS_021']);
  });

  test('may have no symbol: its terms name the contract, as the OCC does', () => {
    const terms = {
      ...option,
      symbol: '',
      underlying_symbol: 'brk.b',
      strike_price: '427.5',
      option_type: 'put',
    };
    expect(lotOf(terms).symbol).toBe('BRKB280121P00427500');
  });

  test.each(['0.0005', '100000'])(
    'needs a symbol where a strike of %s fits no standard contract',
    (strike) => {
      expect(codesOf({ ...option, symbol: '', strike_price: strike })).toEqual(['ERR_POS_001']);
    },
  );

  test('without a symbol reports only the term that is wrong', () => {
    expect(codesOf({ ...option, symbol: '', strike_price: 'x' })).toEqual(['ERR_POS_025']);
    expect(codesOf({ ...option, symbol: '', strike_price: '' })).toEqual(['ERR_POS_019']);
  });

  test.each(['-5', '0', '1.1234567', 'high'])('has a positive strike, not %s', (strike) => {
    expect(codesOf({ ...option, strike_price: strike })).toEqual(['ERR_POS_025']);
  });

  test('says the same in subtype and type', () => {
    expect(lotOf({ ...option, investment_subtype: 'call' }).investmentSubtype).toBe('CALL');
    expect(codesOf({ ...option, investment_subtype: 'PUT' })).toEqual(['ERR_POS_017']);
  });

  test('that expires today has not expired', () => {
    expect(readJson([{ ...option, expiration_date: '2026-07-31' }]).warnings).toEqual([]);
  });
});

describe('cash', () => {
  test('is a currency at par and needs no prices', () => {
    expect(lotOf({ ...cash, symbol: 'eur', quantity: '-1250.75' })).toMatchObject({
      symbol: 'EUR',
      needs: null,
      entryPrice: '1',
      currency: 'EUR',
      quantity: '-1250.75',
    });
  });

  test('need not say its price, nor at which it left', () => {
    expect(lotOf({ ...cash, entry_price: '' }).entryPrice).toBe('1');
    expect(lotOf({ ...cash, exit_date: '2025-07-01' }).exitPrice).toBe('1');
    expect(codesOf({ ...cash, exit_date: '2025-07-01', exit_price: '1.01' })).toEqual(['ERR_POS_037']);
  });

  test.each(['CASH', 'XYZ', 'GBX', 'SPAXX**', 'US DOLLAR'])('is not called %s', (symbol) => {
    expect(codesOf({ ...cash, symbol })).toEqual(['ERR_POS_036']);
  });

  test('is not counted in pence', () => {
    expect(codesOf({ ...cash, symbol: 'GBP', currency: 'GBX' })).toEqual(['ERR_POS_039']);
    expect(lotOf({ ...cash, symbol: 'GBP', currency: 'GBP' }).currency).toBe('GBP');
  });
});

describe('what looks like cash', () => {
  test.each(['CASH', 'cash', 'USD', 'eur', 'SPAXX**'])(
    '%s at exactly 1 without a class: both cures are named',
    (symbol) => {
      const { problems } = readJson([{ symbol, entry_price: '1.00' }]);
      expect(codes(problems)).toEqual(['ERR_POS_035']);
      expect(problems?.[0]?.message).toMatch(/CASH as investment class.*PUBLIC as investment class/);
    },
  );

  test('CASH and USD are symbols at another price, or with a class', () => {
    expect(lotOf({ symbol: 'CASH', entry_price: '62.10' })).toMatchObject({ symbol: 'CASH', needs: 'CASH' });
    expect(lotOf({ symbol: 'USD', entry_price: '1', investment_class: 'PUBLIC' }).needs).toBe('USD');
    expect(codesOf({ symbol: 'SPAXX**', entry_price: '2' })).toEqual(['ERR_POS_003']);
  });
});

describe('classes and subtypes', () => {
  test('a private holding needs no prices', () => {
    const holding = {
      symbol: 'ACME-FUND-II',
      investment_class: 'private',
      investment_subtype: 'Private equity',
    };
    expect(lotOf(holding)).toMatchObject({
      investmentClass: 'PRIVATE',
      investmentSubtype: 'PRIVATE_EQUITY',
      needs: null,
    });
  });

  test('a subtype is advised by its nearest, or by the class it belongs to', () => {
    const advice = (change: Record<string, string>) => readJson([change]).problems?.[0]?.message;
    expect(advice({ investment_subtype: 'FUND' })).toContain('Write MUTUAL_FUND');
    expect(advice({ investment_subtype: 'VENTURE_CAPITAL' })).toContain(
      'VENTURE_CAPITAL belongs to class PRIVATE',
    );
    expect(advice({ investment_subtype: 'SHARES' })).toContain('write STOCK, ETF, MUTUAL_FUND');
  });

  test('an unknown class is one problem: rules that depend on it wait', () => {
    expect(
      codesOf({ ...option, investment_class: 'CRYPTO', strike_price: '', investment_subtype: 'X' }),
    ).toEqual(['ERR_POS_016']);
  });
});

describe('validatePositions', () => {
  test('reports every error of every row at once, in the order of rows and columns, under the JSON names', () => {
    const { problems } = readJson([
      { symbol: '', quantity: 'x', entry_price: '0', entry_date: '' },
      {},
      { currency: '$', exit_price: '5' },
    ]);
    expect(problems?.map(({ line, column, code }) => [line, column, code])).toEqual([
      [1, 'symbol', 'ERR_POS_001'],
      [1, 'quantity', 'ERR_POS_005'],
      [1, 'entry_price', 'ERR_POS_010'],
      [1, 'entry_date', 'ERR_POS_012'],
      [3, 'exit_price', 'ERR_POS_031'],
      [3, 'currency', 'ERR_POS_038'],
    ]);
  });

  test('takes several lots of a symbol on one day, and names the earlier row of an equal one', () => {
    expect(readJson([{ quantity: '10' }, { quantity: '11' }, { entry_price: '172.41' }]).lots).toHaveLength(
      3,
    );
    const { problems } = readJson([{}, { quantity: '5' }, { symbol: 'aapl', quantity: '10.00' }, {}]);
    expect(problems?.map(({ line, relatedLine, code }) => [line, relatedLine, code])).toEqual([
      [3, 1, 'ERR_POS_023'],
      [4, 1, 'ERR_POS_023'],
    ]);
    expect(problems?.[0]?.message).toMatch(/Merge it with row 1\. .*allow_duplicates=true/);
  });

  test('takes equal rows where they are meant', () => {
    expect(readJson([{}, {}], { allowDuplicates: true }).lots).toHaveLength(2);
  });

  test('calls an empty list what it is', () => {
    expect(codes(readJson([]).problems)).toEqual(['ERR_CSV_003']);
  });

  test('warns once per foreign currency, with the number of its lots', () => {
    const { warnings } = readJson([
      { currency: 'EUR' },
      { currency: 'USD' },
      { currency: 'EUR', quantity: '2' },
      { ...cash, symbol: 'GBP' },
    ]);
    expect(warnings.map(({ line, value, message }) => [line, value, message.split('. ')[1]])).toEqual([
      [1, 'EUR', expect.stringContaining('2 lots are in EUR, the portfolio is in USD')],
      [4, 'GBP', expect.stringContaining('One lot is in GBP')],
    ]);
  });

  test('shows values shortened and without control characters', () => {
    const { problems } = readJson([{ quantity: `7\u0007${'9'.repeat(500)}` }]);
    expect(problems?.[0]?.value).toBe(`7\ufffd${'9'.repeat(77)}…`);
  });

  test('never throws and never gives both lots and problems, whatever the rows (property)', () => {
    const cell = fc.oneof(
      fc.constantFrom(
        ...Object.values(soundRow),
        ...Object.values(option),
        'CASH',
        'USD',
        '1',
        '',
        '-1',
        'GBp',
        '=1',
      ),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.anything(),
    );
    const row = fc.record(Object.fromEntries(columns.map(({ name }) => [name, cell])), { requiredKeys: [] });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
        const read = validatePositions(rows as Record<string, string>[], {
          today: '2026-07-31',
          baseCurrency: 'USD',
        });
        expect(read.lots === null).toBe(read.problems !== null);
        if (read.lots) expect(read.lots).toHaveLength(rows.length);
        else expect(read.problems.length).toBeGreaterThan(0);
        for (const { line } of read.problems ?? [])
          expect(line ?? 1).toBeLessThanOrEqual(Math.max(1, rows.length));
      }),
      { numRuns: 300 },
    );
  });
});
