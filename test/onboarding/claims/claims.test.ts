import { afterEach, describe, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { supervisorMachine } from '../../../machines/supervisor.ts';
import { loopHealths } from '../../../src/kernel/loop-health.ts';
import type { Requests } from '../../../src/onboarding/admission/operator-requests.store.ts';
import { claimsActor } from '../../../src/onboarding/claims/claims.ts';
import { inFlight } from '../../../src/onboarding/job/phases-in-flight.ts';
import type { TakenClaim } from '../../../src/onboarding/job/ports.ts';
import { heldActors, settled, stopAll } from '../../machines/harness.ts';
import { TestClock } from '../../support/clock.ts';
import { limits, takenOf } from '../fixture.ts';

afterEach(stopAll);

/** The real claims actor under the real supervisor, on a queue that is an array. */
function claiming({ concurrency = 2, prefetch = 0, childrenMax = 200 } = {}) {
  const clock = new TestClock();
  const queue: TakenClaim[] = [];
  const rooms: number[] = [];
  const released: string[] = [];
  const errors: unknown[] = [];
  const log = (error: unknown) => void errors.push(error);
  const loops = loopHealths({ clock, log });
  const held = new Map<string, TakenClaim>();
  const flights = inFlight();
  const wakers = new Set<() => void>();
  const actors = heldActors();
  let claim = async (room: number) => queue.splice(0, room);
  let requests: Requests = { paused: false, cancelled: [] };
  let read = async () => requests;
  const supervisor = createActor(
    supervisorMachine.provide({
      actors: {
        job: actors.job,
        claims: claimsActor({
          jobs: {
            claim(room) {
              rooms.push(room);
              return claim(room);
            },
            requests: () => read(),
            release: async (claims) => void released.push(...claims.map((one) => one.claim.symbol)),
          },
          onWork(wake) {
            wakers.add(wake);
            return () => void wakers.delete(wake);
          },
          recorder: {
            begin: (taken) => void held.set(taken.claim.jobId, taken),
            held: () => [...held.values()],
            forget: ({ jobId }) => void held.delete(jobId),
          },
          inFlight: flights,
          limits,
          clock,
          loops,
          log,
        }),
      },
    }),
    { input: { depth: 50, concurrency, prefetch, childrenMax } },
  );
  return {
    clock,
    queue,
    rooms,
    released,
    errors,
    loops,
    held,
    flights,
    wakers,
    actors,
    supervisor,
    children: () => supervisor.getSnapshot().context.children.map(({ symbol, epoch }) => `${symbol}${epoch}`),
    ask: (asked: Partial<Requests>) => {
      requests = { ...requests, ...asked };
    },
    readWith: (work: typeof read) => {
      read = work;
    },
    claimWith: (work: typeof claim) => {
      claim = work;
    },
    async start() {
      supervisor.start();
      await settled();
    },
    async wake() {
      for (const wake of wakers) wake();
      await settled();
    },
    async stop() {
      supervisor.stop();
      await settled();
    },
  };
}

describe('the claims actor', () => {
  test('takes what there is room for, and more as permits come free', async () => {
    const run = claiming();
    run.queue.push(takenOf('A'), takenOf('B'), takenOf('C'));
    await run.start();
    expect(run.children()).toEqual(['A1', 'B1']);
    expect(run.rooms.every((room) => room > 0 && room <= 2)).toBe(true);
    run.supervisor.send({ type: 'job.settled', symbol: 'A' });
    await settled();
    expect(run.children()).toEqual(['B1', 'C1']);
    await run.stop();
  });

  test('looks when it is woken, and each second on its own', async () => {
    const run = claiming();
    await run.start();
    run.queue.push(takenOf('A'));
    await run.wake();
    expect(run.children()).toEqual(['A1']);
    run.queue.push(takenOf('B'));
    await run.clock.advance(999);
    expect(run.children()).toEqual(['A1']);
    await run.clock.advance(1);
    await settled();
    expect(run.children()).toEqual(['A1', 'B1']);
    await run.stop();
    expect([run.clock.pending, run.wakers.size]).toEqual([[], 0]);
  });

  test('fills up what it holds ahead once half of that is used, several jobs at once', async () => {
    const run = claiming({ concurrency: 1, prefetch: 4 });
    run.queue.push(...[...'ABCDEFGHI'].map((symbol) => takenOf(symbol)));
    await run.start();
    expect(run.rooms).toEqual([5]);
    const settle = async (symbol: string) => {
      run.supervisor.send({ type: 'job.settled', symbol });
      await settled();
    };
    await settle('A');
    expect(run.rooms).toEqual([5]);
    await settle('B');
    expect(run.rooms).toEqual([5, 2]);
    expect(run.children()).toEqual(['C1', 'D1', 'E1', 'F1', 'G1']);
    await settle('C');
    await run.wake(); // something new to claim is no reason to wait
    expect(run.rooms).toEqual([5, 2, 1]);
    await run.stop();
  });

  test('asks no more of an empty queue as jobs end, until something may have come into it', async () => {
    const run = claiming({ concurrency: 3, prefetch: 0 });
    run.queue.push(takenOf('A'), takenOf('B'));
    await run.start();
    expect(run.rooms).toEqual([3, 1]);
    for (const symbol of ['A', 'B']) run.supervisor.send({ type: 'job.settled', symbol });
    await settled();
    expect(run.rooms).toEqual([3, 1]);
    run.queue.push(takenOf('C'));
    await run.wake();
    expect(run.children()).toEqual(['C1']);
    run.supervisor.send({ type: 'job.settled', symbol: 'C' });
    await settled();
    expect(run.rooms).toEqual([3, 1, 3, 2]);
    await run.stop();
  });

  test('asks for nothing without room, and has one claim under way at a time', async () => {
    const run = claiming({ concurrency: 1 });
    const answer = Promise.withResolvers<TakenClaim[]>();
    run.claimWith(() => answer.promise);
    await run.start();
    await run.wake();
    await run.wake();
    expect(run.rooms).toEqual([1]);
    run.claimWith(async () => []);
    answer.resolve([takenOf('A')]);
    await settled();
    await run.wake();
    expect(run.children()).toEqual(['A1']);
    expect(run.rooms).toEqual([1]);
    await run.stop();
  });

  test('gives back what it is handed after its supervisor has stopped', async () => {
    const run = claiming();
    const answer = Promise.withResolvers<TakenClaim[]>();
    run.claimWith(() => answer.promise);
    await run.start();
    await run.stop();
    let ended = false;
    run.flights.settled().then(() => {
      ended = true;
    });
    await settled();
    expect(ended, 'stopping the node waits for it').toBe(false);
    answer.resolve([takenOf('A'), takenOf('B')]);
    await settled();
    expect([run.released, ended]).toEqual([['A', 'B'], true]);
    expect(run.held.size).toBe(0);
  });

  test('stops the child of an older claim and waits for its phase before the new one begins', async () => {
    const run = claiming();
    run.queue.push(takenOf('A', { status: 'processing' }));
    await run.start();
    const phase = Promise.withResolvers<void>();
    run.flights.track('A', phase.promise);
    run.queue.push(takenOf('A', { status: 'processing', resumes: 1 }, 2));
    await run.wake();
    expect(run.children()).toEqual([]);
    expect(run.actors.aborted).toEqual(['A']);
    phase.resolve();
    await settled();
    expect(run.children()).toEqual(['A2']);
    expect([...run.held.values()]).toMatchObject([{ claim: { epoch: 2 } }]);
    await run.stop();
  });

  test('gives back a claim for which its supervisor has no child', async () => {
    const run = claiming({ concurrency: 3, childrenMax: 1 });
    run.claimWith(async () => run.queue.splice(0));
    run.queue.push(takenOf('A'), takenOf('B'));
    await run.start();
    expect([run.children(), run.released]).toEqual([['A1'], ['B']]);
    expect([...run.held.keys()]).toEqual(['job-A']);
    await run.stop();
  });

  test('outlives a database that fails: it says so and tries again a second later', async () => {
    const run = claiming();
    const outage = new Error('no database');
    run.claimWith(() => Promise.reject(outage));
    await run.start();
    expect(run.errors).toEqual([outage]);
    expect(run.loops.claims.failure()).toMatchObject({ rounds: 1 });
    expect(run.loops.requests.failure()).toBe(null);
    run.claimWith(async (room) => run.queue.splice(0, room));
    run.queue.push(takenOf('A'));
    await run.clock.advance(1000);
    await settled();
    expect(run.children()).toEqual(['A1']);
    expect(run.loops.claims.failure()).toBe(null);
    await run.stop();
  });

  test('heeds a pause and its end, at the latest after a second', async () => {
    const run = claiming();
    await run.start();
    run.ask({ paused: true });
    await run.clock.advance(1000);
    await settled();
    run.queue.push(takenOf('A'));
    await run.wake();
    expect(run.children()).toEqual([]);
    run.ask({ paused: false });
    await run.wake();
    expect(run.children()).toEqual(['A1']);
    await run.stop();
  });

  test('never undoes a pause by an answer that was read before it', async () => {
    const run = claiming();
    const answers = [Promise.withResolvers<Requests>(), Promise.withResolvers<Requests>()];
    let reads = 0;
    run.readWith(() => answers[reads++]!.promise);
    await run.start();
    await run.wake();
    answers[1]!.resolve({ paused: true, cancelled: [] }); // asked later, answers first
    await settled();
    answers[0]!.resolve({ paused: false, cancelled: [] });
    await settled();
    expect(reads).toBe(2);
    expect(run.supervisor.getSnapshot().context.paused).toBe(true);
    await run.stop();
  });

  test('passes a cancellation on to the child that is meant, and to no other claim of its symbol', async () => {
    const run = claiming();
    run.queue.push(takenOf('A'), takenOf('B'));
    await run.start();
    const name = (symbol: string) => run.supervisor.getSnapshot().children[symbol]?.getSnapshot().value;
    run.ask({
      cancelled: [
        { jobId: 'job-A', symbol: 'A', epoch: 1 },
        { jobId: 'job-B', symbol: 'B', epoch: 7 },
      ],
    });
    await run.wake();
    expect(name('A')).toBe('cancelled');
    expect(name('B')).toEqual({ processing: { fetch: 'running' } });
    await run.stop();
  });
});
