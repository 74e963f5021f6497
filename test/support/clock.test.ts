import { describe, expect, test } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { TestClock } from './clock.ts';

describe('TestClock', () => {
  test('stands still until it is moved', async () => {
    const clock = new TestClock(1000);
    let woken = false;
    const sleep = clock.sleepUntil(1500).then(() => {
      woken = true;
    });
    await clock.advance(499);
    expect([clock.now(), woken, clock.pending]).toEqual([1499, false, [1500]]);
    await clock.advance(1);
    await sleep;
    expect([clock.now(), woken, clock.pending]).toEqual([1500, true, []]);
  });

  test('wakes in order of time, then of arrival, each at its own time', async () => {
    const clock = new TestClock(0);
    const woken: [string, number][] = [];
    const sleep = (name: string, until: number) =>
      clock.sleepUntil(until).then(() => woken.push([name, clock.now()]));
    const all = Promise.all([sleep('late', 30), sleep('first', 10), sleep('second', 10)]);
    await clock.advance(100);
    await all;
    expect(woken).toEqual([
      ['first', 10],
      ['second', 10],
      ['late', 30],
    ]);
  });

  test('wakes one who goes back to sleep on the way as often as its time comes', async () => {
    const clock = new TestClock(0);
    const ticks: number[] = [];
    const ticking = (async () => {
      while (ticks.length < 3) {
        await clock.sleepUntil(clock.now() + 10);
        ticks.push(clock.now());
      }
    })();
    await clock.advance(35);
    await ticking;
    expect(ticks).toEqual([10, 20, 30]);
  });

  test('never puts to sleep until a past moment', async () => {
    await new TestClock(10).sleepUntil(10);
  });

  test('rejects with the reason of an abort, before or during sleep, and forgets the sleeper', async () => {
    const clock = new TestClock(0);
    const reason = new Error('shutting down');
    const controller = new AbortController();
    const sleep = clock.sleepUntil(10, controller.signal);
    controller.abort(reason);
    await expect(sleep).rejects.toBe(reason);
    await expect(clock.sleepUntil(10, controller.signal)).rejects.toBe(reason);
    expect(clock.pending).toEqual([]);
  });

  test('tells when as many sleep as one waits for', async () => {
    const clock = new TestClock(0);
    const controller = new AbortController();
    const two = clock.sleeping(2).then(() => clock.pending);
    const sleeps = [clock.sleepUntil(2, controller.signal), clock.sleepUntil(1, controller.signal)];
    expect(await two).toEqual([1, 2]);
    await clock.advanceToNext();
    expect(clock.pending).toEqual([2]);
    controller.abort();
    expect((await Promise.allSettled(sleeps)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  test('drives the delays of a statechart, and forgets them when it stops', async () => {
    const machine = createMachine({
      initial: 'on',
      states: { on: { after: { 1000: 'off' } }, off: { after: { 1000: 'on' } } },
    });
    const clock = new TestClock(0);
    const actor = createActor(machine, { clock }).start();
    await clock.advance(1000);
    expect(actor.getSnapshot().value).toBe('off');
    actor.stop();
    expect(clock.pending).toEqual([]);
  });

  test('refuses to go back', async () => {
    await expect(new TestClock(10).advanceTo(9)).rejects.toThrow('expected a moment not before 10, got: 9');
  });
});
