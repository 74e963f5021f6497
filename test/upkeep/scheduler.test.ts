import { expect, test } from 'vitest';
import { startMaintenance } from '../../src/upkeep/scheduler.ts';
import { TestClock } from '../support/clock.ts';

test('a chore runs at the start and at its interval, and its failures stop no other chore', async () => {
  const clock = new TestClock();
  const errors: unknown[] = [];
  const done: string[] = [];
  const chore = (name: string, everyMs: number) => ({
    everyMs,
    async run() {
      done.push(name);
      if (name === 'bad') throw new Error('bad');
    },
  });
  const chores = [chore('bad', 100), chore('good', 250)];
  const { close } = startMaintenance({ chores, clock, log: (error) => errors.push(error) });
  await clock.sleeping(2);
  expect(done).toEqual(['bad', 'good']);
  await clock.advance(300);
  expect(done).toEqual(['bad', 'good', 'bad', 'bad', 'good', 'bad']);
  expect(errors).toHaveLength(4);
  await close();
  expect(clock.pending).toEqual([]);
});

test('a chore that is woken is done before its time, and once more where that happens while it is done', async () => {
  const clock = new TestClock();
  const third = Promise.withResolvers<void>();
  let runs = 0;
  let wake = () => {};
  const chore = {
    everyMs: 1000,
    onWake: (given: () => void) => {
      wake = given;
    },
    async run() {
      runs += 1;
      if (runs === 2) wake();
      if (runs === 3) third.resolve();
      // Done again and again without a sleep, it would keep the test's timeout from its turn.
      if (runs > 3) await new Promise(() => {});
    },
  };
  const { close } = startMaintenance({ chores: [chore], clock, log: () => {} });
  await clock.sleeping(1);
  expect(runs).toBe(1);
  wake();
  await third.promise;
  await clock.sleeping(1);
  expect(runs).toBe(3);
  await close();
});

test('closing waits for the chore under way, tells it to stop, and not for the sleep of another', async () => {
  const never = { now: () => 0, sleepUntil: () => new Promise<never>(() => {}) };
  const started = Promise.withResolvers<void>();
  let ended = false;
  const idle = { everyMs: 1, run: async () => {} };
  const busy = {
    everyMs: 1,
    async run(signal: AbortSignal) {
      started.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended = true;
    },
  };
  const { close } = startMaintenance({ chores: [idle, busy], clock: never, log: () => {} });
  await started.promise;
  await close();
  expect(ended).toBe(true);
});
