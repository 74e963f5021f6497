import Big from 'big.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDecimal } from '../../src/import/read-decimal.ts';

describe('readDecimal', () => {
  test.each([
    ['10', '10'],
    ['-850', '-850'],
    ['172.40', '172.4'],
    ['007.50', '7.5'],
    ['.5', '0.5'],
    ['-.5', '-0.5'],
    ['5.', '5'],
    ['0.000001', '0.000001'],
    ['1.5000000000', '1.5'],
    ['0', '0'],
    ['-0.00', '0'],
    ['999999999999999.999999', '999999999999999.999999'],
    ['0.1', '0.1'],
  ])('reads %s as %s', (text, value) => {
    expect(readDecimal(text)).toEqual({ value, flaw: null });
  });

  test('counts the decimals that matter: six are kept, a seventh is refused', () => {
    expect(readDecimal('185.123456').value).toBe('185.123456');
    expect(readDecimal('185.1234567').flaw).toBe('too_many_decimals');
  });

  test('refuses more than 15 digits before the point', () => {
    expect(readDecimal('1000000000000000').flaw).toBe('too_many_digits');
    expect(readDecimal('9'.repeat(5000)).flaw).toBe('too_many_digits');
  });

  test.each(['', 'LOTS', 'NaN', 'Infinity', '0x10', '1e', '1.2.3', '--5', '-', '.', '1_000', '١٢', '5 6'])(
    'does not take %j for a number',
    (text) => {
      expect(readDecimal(text)).toMatchObject({ value: null, flaw: 'not_a_number' });
    },
  );

  test.each([
    ['1,200.50', 'Write 1200.50:'],
    ['1,234,567', 'Write 1234567:'],
    ["1'234.5", 'Write 1234.5:'],
    ['1 234.5', 'Write 1234.5:'],
    ['1\u202f234.5', 'Write 1234.5:'],
    ['1,200', 'Write 1200 or 1.200: the comma is ambiguous.'],
    ['1.234,56', 'Write 1234.56:'],
    ['12,5', 'Write 12.5:'],
    ['$150.25', 'Write 150.25:'],
    ['€ 150', 'Write 150:'],
    ['150 USD', 'Write 150:'],
    ['$1,200.50', 'Write 1200.50:'],
    ['(500)', 'Write -500:'],
    ['(1,200.50)', 'Write -1200.50:'],
    ['(1,200)', 'Write -1200 or -1.200:'],
    ['500-', 'Write -500:'],
    ['−500', 'Write -500:'],
    ['+5', 'Write 5:'],
    ['1E+05', 'not in scientific notation'],
    ['15%', 'not a percentage'],
    ['=1+1', 'Formulas are not evaluated'],
    ['@SUM(A1)', 'Formulas are not evaluated'],
  ])('refuses %s and says what to write', (text, advice) => {
    const reading = readDecimal(text);
    expect(reading).toMatchObject({ value: null, flaw: 'not_a_number' });
    expect('fix' in reading && reading.fix).toContain(advice);
  });

  test('keeps every decimal exactly, and reads its own writing (property)', () => {
    const parts = fc.record({
      sign: fc.constantFrom('', '-'),
      whole: fc.bigInt(0n, 10n ** 15n - 1n),
      decimals: fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 6 }),
      zeros: fc.nat(3),
    });
    fc.assert(
      fc.property(parts, ({ sign, whole, decimals, zeros }) => {
        const text = `${sign}${'0'.repeat(zeros)}${whole}.${decimals}${'0'.repeat(zeros)}`;
        const { value } = readDecimal(text);
        expect(value).not.toBeNull();
        expect(new Big(value ?? 'NaN').eq(text.replace(/\.$/, ''))).toBe(true);
        expect(readDecimal(value ?? '').value).toBe(value);
        expect(value).toMatch(/^(0|-?(0|[1-9]\d*)(\.\d*[1-9])?)$/);
      }),
    );
  });
});
