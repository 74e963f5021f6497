import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainText } from '../../machines/plain-text.ts';
import { random } from './harness.ts';

describe('plainText', () => {
  test('leaves ordinary text as it is', () => {
    expect(plainText('Kein Kurs für „AAPL“ 📈', 100)).toBe('Kein Kurs für „AAPL“ 📈');
  });

  test('replaces what PostgreSQL refuses: NUL, control characters, half a surrogate pair', () => {
    expect(plainText('a\u0000b\nc\ud800d', 100)).toBe('a b c\ufffdd');
  });

  test('clips long text with an ellipsis and never within a surrogate pair', () => {
    expect(plainText('abcdef', 4)).toBe('abc…');
    expect(plainText('ab📈cd', 4)).toBe('ab\ufffd…');
  });

  test('is well formed, within its length and free of control characters for any input', () => {
    const anything = fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)),
    });
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 20 }), (text, max) => {
        const plain = plainText(text, max);
        expect(plain.length).toBeLessThanOrEqual(max);
        expect(plain.isWellFormed()).toBe(true);
        expect(plain).not.toMatch(/\p{Cc}/u);
      }),
      random(500, 50_000),
    );
  });
});
