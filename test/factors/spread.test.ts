import { expect, test } from 'vitest';
import { spreadReturns } from '../../src/factors/spread.ts';
import { expectNear } from '../support/near.ts';

test('a spread is the difference of the two returns, day by day', () => {
  const [first, second] = spreadReturns({ long: [0.02, 0.01], short: [0.005, 0.01] });
  expectNear(first, 0.015);
  expect(second).toBe(0);
});

test('a spread of legs with different days is refused', () => {
  expect(() => spreadReturns({ long: [0.02], short: [] })).toThrow('two legs of one length, got: 1, 0');
});
