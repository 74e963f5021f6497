import { afterEach, describe, expect, test } from 'vitest';
import { claimOf, limits, liveSupervisor, permanent, stopAll, transient } from './harness.ts';

afterEach(stopAll);

const running = 'processing.fetch.running';

describe('draining', () => {
  test('stops waiting children immediately and lets running phases finish within the grace period', async () => {
    const { take, send, actors, supervisor, symbols, told } = liveSupervisor({ concurrency: 2 });
    for (const symbol of ['A', 'B', 'C']) take(symbol);
    await actors.fail('B', transient); // C takes its permit
    const before = told.length;
    send({ type: 'drain', graceMs: 5000 });
    expect(supervisor.getSnapshot().value).toBe('draining');
    expect(symbols()).toEqual(['A', 'C']);
    expect(actors.aborted).toEqual([]);
    expect(actors.sleeping()).toEqual([]);
    await actors.fail('A', transient); // it gives its permit back: stopped, to be resumed by whoever claims it
    expect(symbols()).toEqual(['C']);
    await actors.fail('C', permanent);
    supervisor.send({ type: 'job.settled', symbol: 'C' });
    expect(supervisor.getSnapshot()).toMatchObject({ status: 'done', output: { fault: null } });
    expect(told).toHaveLength(before);
  });

  test('ends when the grace period is over, with every signal aborted and no child left', () => {
    const { take, send, actors, supervisor, clock, symbols } = liveSupervisor({ concurrency: 2 });
    take('A');
    take('B');
    send({ type: 'drain', graceMs: 5000 });
    clock.increment(4999);
    expect(actors.running()).toEqual(['A', 'B']);
    clock.increment(1);
    expect(supervisor.getSnapshot().status).toBe('done');
    expect(actors.aborted.sort()).toEqual(['A', 'B']);
    expect(symbols()).toEqual([]);
  });

  test('restarts the grace period with each drain: a second signal may end it now', () => {
    const { take, send, supervisor, clock } = liveSupervisor();
    take('A');
    send({ type: 'drain', graceMs: 1_000_000 });
    clock.increment(1000);
    supervisor.send({ type: 'drain', graceMs: 0 });
    clock.increment(0);
    expect(supervisor.getSnapshot().status).toBe('done');
  });

  test('an idle node is drained immediately', () => {
    const { send, supervisor } = liveSupervisor();
    send({ type: 'drain', graceMs: 5000 });
    expect(supervisor.getSnapshot().status).toBe('done');
  });

  test('takes no claim and grants no permit', () => {
    const { take, send, supervisor, child, name, symbols } = liveSupervisor({ concurrency: 2 });
    take('A');
    take('B');
    send({ type: 'drain', graceMs: 5000 });
    supervisor.send({ type: 'job.settled', symbol: 'B' });
    supervisor.send({
      type: 'claim.taken',
      claim: claimOf('Z'),
      progress: child('A')!.getSnapshot().context as never,
      limits,
    });
    expect(symbols()).toEqual(['A']);
    expect(name('A')).toBe(running);
  });

  test('does not end immediately when the grace period is longer than a timer can be', () => {
    const { take, send, supervisor, clock } = liveSupervisor();
    take('A');
    send({ type: 'drain', graceMs: Number.MAX_SAFE_INTEGER });
    clock.increment(2 ** 31 - 2);
    expect(supervisor.getSnapshot().value).toBe('draining');
    clock.increment(1); // the longest that Node waits; it fires anything longer at once
    expect(supervisor.getSnapshot().value).toBe('drained');
  });
});
