import { describe, expect, test } from 'vitest';
import { splitText, splitWarning } from '../../src/portfolio/split-warning.ts';

const lot = { line: 7, symbol: 'NVDA', quantity: '-10', entryPrice: '1200', entryDate: '2024-06-07' };
const ten = { date: '2024-06-10', numerator: '10', denominator: '1' };

describe('splitWarning', () => {
  test('gives both readings, and says which one is valued', () => {
    const warning = splitWarning(lot, [ten])!;
    expect(warning).toMatchObject({ line: 7, column: 'Quantity', value: '-10', code: 'split_since_entry' });
    expect(warning.message).toContain('NVDA split 10 for 1 on 2024-06-10, after 2024-06-07.');
    expect(warning.message).toContain('enter the lot as -100 at 120.');
    expect(warning.message).toContain('leave it at -10 at 1200, as valued here.');
  });

  test.each([
    ['2024-06-09', true],
    ['2024-06-10', false], // bought on that day is bought after it
  ])('of a lot entered on %s, with a split on 2024-06-10: %s', (entryDate, expected) => {
    expect(splitWarning({ ...lot, entryDate }, [ten]) !== null).toBe(expected);
  });

  test('multiplies several splits, reverse ones too, and says where six decimals are not enough', () => {
    const splits = [
      { date: '2020-08-31', numerator: '4', denominator: '1' },
      ten,
      { date: '2025-01-02', numerator: '1', denominator: '3' },
    ];
    expect(splitText(splits)).toBe(
      '4 for 1 on 2020-08-31 and 10 for 1 on 2024-06-10 and 1 for 3 on 2025-01-02, 40 for 3 in total',
    );
    const { message } = splitWarning({ ...lot, quantity: '1', entryDate: '2019-01-02' }, splits)!;
    expect(message).toContain('enter the lot as about 13.333333 at 90.');
  });
});
