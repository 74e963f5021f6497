import { describe, expect, test } from 'vitest';
import { minorUnitWarning } from '../../src/portfolio/minor-unit-warning.ts';

const lot = { line: 7, symbol: 'VOD.L', quoteUnit: null };
const pounds = { symbolCurrency: 'GBP', lastClose: '1' };

describe('minorUnitWarning', () => {
  test.each([
    ['49.99', false],
    ['50', true],
    ['100', true],
    ['200', true],
    ['200.01', false],
    ['1', false],
  ])('an entry price of %s beside a close of 1: %s', (entryPrice, expected) => {
    expect(minorUnitWarning({ ...lot, entryPrice }, pounds) !== null).toBe(expected);
  });

  test('names the row, the close and the unit to write', () => {
    const warning = minorUnitWarning(
      { ...lot, entryPrice: '7250' },
      { symbolCurrency: 'ZAR', lastClose: '72.10' },
    );
    expect(warning).toMatchObject({ line: 7, column: 'Currency', value: '7250', code: 'WARN_POS_004' });
    expect(warning?.message).toMatch(/last closed at 72.10 ZAR.*write ZAc as currency\.$/);
  });

  test('leaves rows alone that name a minor unit, and symbols that are not quoted in one', () => {
    const entryPrice = '100';
    expect(minorUnitWarning({ ...lot, entryPrice, quoteUnit: 'GBX' }, pounds)).toBeNull();
    expect(minorUnitWarning({ ...lot, entryPrice }, { ...pounds, symbolCurrency: 'USD' })).toBeNull();
    expect(minorUnitWarning({ ...lot, entryPrice }, { ...pounds, symbolCurrency: null })).toBeNull();
  });
});
