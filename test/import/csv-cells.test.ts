import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { echo } from '../../src/contract/row-problems.ts';
import { csvCell, csvRow, isFormulaLike } from '../../src/import/csv-cells.ts';

describe('csvCell', () => {
  test.each([
    ['AAPL', 'AAPL'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['# no comment', '"# no comment"'],
    ['-850', '-850'],
    ['-0.5', '-0.5'],
  ])('writes %j as %j', (text, cell) => {
    expect(csvCell(text)).toBe(cell);
  });

  test.each(['=1+1', '+1', '@SUM(A1)', '-1+cmd', '  =1', '＝1'])('puts an apostrophe before %j', (text) => {
    expect(csvCell(text).replace(/^"/, '')).toMatch(/^'/);
  });

  test('never lets a spreadsheet evaluate a cell, and keeps every other text (property)', () => {
    const text = fc.string({ unit: fc.constantFrom(...'=+-@\t\r\n",# a1.'), maxLength: 12 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 4 }), (cells) => {
        const [row = []] = parse(csvRow(['first', ...cells]), { record_delimiter: ['\0'] }) as string[][];
        for (const [index, read] of row.slice(1).entries()) {
          const original = cells[index] ?? '';
          expect([original, `'${original}`]).toContain(read);
          if (!/^-\d+(\.\d+)?$/.test(read)) expect(isFormulaLike(read)).toBe(false);
        }
        expect(row).toHaveLength(cells.length + 1);
      }),
    );
  });
});

describe('echo', () => {
  test('shortens a value to 80 characters', () => {
    expect(echo('x'.repeat(80))).toBe('x'.repeat(80));
    expect(echo('x'.repeat(10_000))).toBe(`${'x'.repeat(79)}…`);
  });

  test('replaces what could forge a line or turn a message around', () => {
    expect(echo('a\nb\u001b[31m\u202ec\u2028')).toBe('a\ufffdb\ufffd[31m\ufffdc\ufffd');
    expect(echo(`${'x'.repeat(78)}😀${'y'.repeat(9)}`).isWellFormed()).toBe(true);
  });
});
