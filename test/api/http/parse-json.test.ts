import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../src/api/http/parse-json.ts';

const parse = (text: string) => parseJson(Buffer.from(text));

describe('parseJson', () => {
  test('keeps the digits of decimal fields, and leaves other numbers alone', () => {
    expect(parse('{"quantity": 1.10, "entry_price": 123456789012345678.1, "limit": 1.10}')).toEqual({
      quantity: '1.10',
      entry_price: '123456789012345678.1',
      limit: 1.1,
    });
  });

  test('leaves strings and nulls in decimal fields alone', () => {
    expect(parse('{"quantity": "1.10", "strike_price": null}')).toEqual({
      quantity: '1.10',
      strike_price: null,
    });
  });

  test('refuses bytes that are not UTF-8 instead of replacing them', () => {
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/not valid UTF-8/);
  });
});
