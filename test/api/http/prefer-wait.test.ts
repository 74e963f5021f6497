import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { waitPreferred } from '../../../src/api/http/prefer-wait.ts';
import { numRuns } from '../../support/series.ts';

describe('waitPreferred', () => {
  test.each<[string | string[], number | null]>([
    ['wait=10', 10],
    ['Wait = 10', 10],
    ['wait="10"', 10],
    ['wait=0', 0],
    ['wait=60', 60],
    ['wait=61', 60],
    ['wait=999999999999999', 60],
    ['respond-async, wait=7', 7],
    ['wait=7; foo="a, wait=9"; bar', 7],
    ['return=minimal; note="wait=9, wait=8", wait=7', 7],
    ['note="a \\" , wait=9", wait=7', 7],
    ['wait=5, wait=6', 5],
    [['handling=lenient', 'wait=4'], 4],
    ['wait', null],
    ['wait=', null],
    ['wait=-1', null],
    ['wait=1.5', null],
    ['wait=1e3', null],
    ['wait=ten', null],
    ['wait=0x10', null],
    ['wait=1 2', null],
    ['wait=x, wait=6', null],
    ['waiting=5', null],
    ['await=5', null],
    ['note="wait=9', null],
    ['', null],
    [',;=,', null],
  ])('%j is %j seconds', (header, seconds) => {
    expect(waitPreferred(header)).toBe(seconds);
  });

  test('takes a request without the header as one that does not wait', () => {
    expect(waitPreferred(undefined)).toBeNull();
  });

  test('is never more than the cap, whatever is sent', () => {
    const pieces = fc.array(fc.constantFrom('wait', '=', ',', ';', '"', '\\', '7', '99', ' ', 'a'), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(pieces, (parts) => {
        const seconds = waitPreferred(parts.join(''));
        expect(seconds === null || (Number.isInteger(seconds) && seconds >= 0 && seconds <= 60)).toBe(true);
      }),
      { numRuns, seed: 3 },
    );
  });
});
