import { expect, test } from 'vitest';
import { AppError } from '../../src/kernel/errors.ts';
import { failuresOf, type LoopName, loopHealths } from '../../src/kernel/loop-health.ts';
import { TestClock } from '../support/clock.ts';

function start() {
  const clock = new TestClock();
  const logged: unknown[] = [];
  const counted: LoopName[] = [];
  const log = (error: unknown) => void logged.push(error);
  const healths = loopHealths({ clock, log, onFailure: (name) => counted.push(name) });
  const fail = (error: unknown) => healths.claims.round(() => Promise.reject(error));
  return { clock, logged, counted, healths, fail };
}

test('a loop fails from its first failed round on, until one succeeds', async () => {
  const { clock, logged, counted, healths, fail } = start();
  const overflow = Object.assign(new Error('integer out of range'), { code: '22003' });
  await healths.claims.round(async () => {});
  expect(failuresOf(healths)).toEqual({});
  await fail(overflow);
  await clock.advance(1000);
  await fail(overflow);
  await clock.advance(500);
  expect(failuresOf(healths)).toEqual({
    claims: { seconds: 1.5, rounds: 2, reason: 'integer out of range' },
  });
  expect([logged, counted]).toEqual([
    [overflow, overflow],
    ['claims', 'claims'],
  ]);
  await healths.claims.round(async () => {});
  expect(failuresOf(healths)).toEqual({});
});

test.each([
  [
    'our own words',
    new AppError('database_unavailable', 'The database does not answer.'),
    'The database does not answer',
  ],
  [
    'those of the database',
    Object.assign(new Error('deadlock detected\n  at'), { code: '40P01' }),
    'deadlock detected',
  ],
  ['no others', new TypeError('http://secret@host is not a function'), 'unexpected error, see the log'],
  [
    'nor those of the network',
    Object.assign(new Error('connect 10.0.0.1'), { code: 'ECONNREFUSED' }),
    'unexpected error, see the log',
  ],
  ['nor what is no error', null, 'unexpected error, see the log'],
])('its reason is %s', async (_, error, reason) => {
  const { healths, fail } = start();
  await fail(error);
  expect(healths.claims.failure()?.reason).toBe(reason);
});
