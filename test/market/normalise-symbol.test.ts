import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normaliseSymbol } from '../../src/market/normalise-symbol.ts';

describe('normaliseSymbol', () => {
  test.each([
    ['aapl', 'AAPL'],
    ['  msft\t', 'MSFT'],
    ['\u00a0spy\u00a0', 'SPY'],
    ['BRK.B', 'BRK-B'],
    ['BRK/B', 'BRK-B'],
    ['BRK B', 'BRK-B'],
    ['brk.a', 'BRK-A'],
    ['BRK-B', 'BRK-B'],
    ['BF.B', 'BF-B'],
    ['BT.A.L', 'BT-A.L'],
    ['NOVO B.CO', 'NOVO-B.CO'],
  ])('brings %j to the provider’s spelling %s', (raw, symbol) => {
    expect(normaliseSymbol(raw)).toEqual({ symbol, problem: null });
  });

  test.each([
    'VOD.L',
    'SAP.DE',
    'VOW3.F',
    '7203.T',
    'ABC.V',
    '0P000071W8.TO',
    'M&M.NS',
    '^GSPC',
    'EURUSD=X',
    'GC=F',
    'BTC-USD',
    'AAPL250117C00200000',
  ])('leaves %s as it is: exchange suffixes are no share classes', (symbol) => {
    expect(normaliseSymbol(symbol).symbol).toBe(symbol);
  });

  test.each(['', '   ', '\t', null, undefined])('calls %j missing', (raw) => {
    expect(normaliseSymbol(raw).problem?.reason).toBe('missing');
  });

  test.each([
    'VT MGX',
    'BRK  B',
    'A..B',
    '..',
    '../../etc/passwd',
    '.',
    '-AAPL250117C200',
    '=1+1',
    '+AAPL',
    '@SUM',
    'SPAXX**',
    '$$CASH',
    '"AAPL"',
    "O'REILLY",
    'ＡＡＰＬ',
    'STRAßE',
    'ıBM',
    'A\u0000B',
    'A\nB',
    'A\u200bB',
    '💥',
    '<script>',
    42,
    {},
  ])('refuses %j', (raw) => {
    expect(normaliseSymbol(raw)).toMatchObject({ symbol: null, problem: { reason: 'invalid_characters' } });
  });

  test('takes 32 characters and refuses the 33rd, naming the limit', () => {
    expect(normaliseSymbol('A'.repeat(32)).symbol).toHaveLength(32);
    expect(normaliseSymbol('A'.repeat(33)).problem).toMatchObject({ reason: 'too_long' });
    expect(normaliseSymbol('A'.repeat(33)).problem?.message).toMatch(/at most 32 characters, got 33/);
  });

  test('is a fixed point, well-formed and never throws, whatever it is given (property)', () => {
    const symbolLike = fc.string({ unit: fc.constantFrom(...'ABLFTV019./ -^=_&ab'), maxLength: 34 });
    fc.assert(
      fc.property(fc.oneof(symbolLike, fc.string({ unit: 'binary' }), fc.anything()), (raw) => {
        const { symbol, problem } = normaliseSymbol(raw);
        expect(symbol === null).toBe(problem !== null);
        if (symbol === null) return;
        expect(symbol).toMatch(/^[A-Z0-9^][A-Z0-9.^=_&-]{0,31}$/);
        expect(symbol).not.toContain('..');
        expect(normaliseSymbol(symbol).symbol).toBe(symbol);
        expect(normaliseSymbol(symbol.toLowerCase()).symbol).toBe(symbol);
      }),
      { numRuns: 2000 },
    );
  });
});
