import { expect, test } from 'vitest';
import { handover } from '../../src/onboarding/phase-handover.ts';
import { claimOf } from '../machines/harness.ts';

test('a value goes to the next phase of the same claim, and only once', () => {
  const { give, take } = handover<{ close: number }>();
  give(claimOf('AAPL', 1), { close: 1 });
  give(claimOf('MSFT', 1), { close: 2 });
  expect(take(claimOf('AAPL', 2)), 'another claim reads').toBeUndefined();
  expect(take(claimOf('AAPL', 1))).toEqual({ close: 1 });
  expect(take(claimOf('AAPL', 1)), 'another attempt reads').toBeUndefined();
  expect(take(claimOf('MSFT', 1))).toEqual({ close: 2 });
});

test('evicts the oldest values that are never taken', () => {
  const { give, take } = handover<{ close: number }>();
  for (let n = 0; n <= 200; n += 1) give(claimOf(`S${n}`, 1), { close: n });
  expect(take(claimOf('S0', 1))).toBeUndefined();
  expect(take(claimOf('S200', 1))).toEqual({ close: 200 });
});
