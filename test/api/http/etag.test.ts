import { describe, expect, test } from 'vitest';
import { etagOf, isNamed } from '../../../src/api/http/etag.ts';

describe('an entity tag', () => {
  test('is quoted, the same for the same bytes, another for others', () => {
    expect(etagOf('{"a":1}')).toMatch(/^"[\w-]{27}"$/);
    expect(etagOf(Buffer.from('{"a":1}'))).toBe(etagOf('{"a":1}'));
    expect(etagOf('{"a":2}')).not.toBe(etagOf('{"a":1}'));
  });

  test.each([
    ['"a"', true],
    ['W/"a"', true],
    ['"b", "a"', true],
    ['"b",W/"a"', true],
    ['"x, y" , "a"', true],
    ['*', true],
    [' * ', true],
    ['"b"', false],
    ['a', false],
    ['"A"', false],
    ['', false],
    [undefined, false],
  ])('%j names "a": %j', (header, named) => {
    expect(isNamed(header, '"a"')).toBe(named);
    expect(isNamed(header, 'W/"a"')).toBe(named);
  });
});
