import { expect, test } from 'vitest';
import { oneAtATime } from '../../src/kernel/one-at-a-time.ts';
import { settled } from '../machines/harness.ts';

test('a call during a run gets the next run, which all who wait share', async () => {
  const runs: PromiseWithResolvers<void>[] = [];
  const run = oneAtATime(() => {
    runs.push(Promise.withResolvers());
    return runs.at(-1)!.promise;
  });
  const ended: string[] = [];
  const call = (name: string) => void run().then(() => ended.push(name));
  call('first');
  await settled();
  for (const name of ['second', 'third']) call(name);
  await settled();
  expect(runs).toHaveLength(1);
  runs[0]!.resolve();
  await settled();
  expect([runs.length, ended]).toEqual([2, ['first']]);
  runs[1]!.resolve();
  await settled();
  expect([runs.length, ended]).toEqual([2, ['first', 'second', 'third']]);
});

test('a failed run is told to those who wait for it, and the next one begins', async () => {
  let fails = true;
  const run = oneAtATime(async () => {
    if (fails) throw new Error('no database');
  });
  const failed = run();
  await expect(failed).rejects.toThrow('no database');
  fails = false;
  await expect(run()).resolves.toBeUndefined();
});
