import { expect, onTestFinished, test } from 'vitest';
import { createActor, fromCallback } from 'xstate';
import type { Claim } from '../../../machines/protocol.ts';
import { supervisorMachine } from '../../../machines/supervisor.ts';
import { loopHealths } from '../../../src/kernel/loop-health.ts';
import { ceilingActor } from '../../../src/onboarding/claims/cluster-ceiling.ts';
import { inFlight } from '../../../src/onboarding/job/phases-in-flight.ts';
import { claimOf, heldActors, limits, progressFrom, settled, transient } from '../../machines/harness.ts';
import { TestClock } from '../../support/clock.ts';

/** The real ceiling actor under the real supervisor, on permits that are a set. */
function bounded({ permits = 1, concurrency = 2 } = {}) {
  const clock = new TestClock();
  const used = new Set<string>();
  const freed: string[] = [];
  const errors: unknown[] = [];
  const wakers = new Set<() => void>();
  const flights = inFlight();
  const actors = heldActors();
  const key = ({ symbol, epoch }: Claim) => `${symbol}${epoch}`;
  let [fails, answersLost] = [0, 0];
  let durable = Promise.resolve();
  const ceiling = ceilingActor({
    permits: {
      async take(claims) {
        if (fails-- > 0) throw new Error('the database does not answer');
        const granted = claims.filter((claim) => {
          if (used.size < permits) used.add(key(claim));
          return used.has(key(claim));
        });
        if (answersLost-- > 0) throw new Error('the connection died with the commit under way');
        return granted;
      },
      async free(claims) {
        for (const claim of claims) {
          used.delete(key(claim));
          freed.push(key(claim));
        }
      },
    },
    onWork(wake) {
      wakers.add(wake);
      return () => void wakers.delete(wake);
    },
    recorder: { barrier: () => durable },
    inFlight: flights,
    clock,
    loop: loopHealths({ clock, log: (error) => errors.push(error) }).permits,
  });
  const claims = fromCallback(() => {}) as never; // the test speaks for it
  const machine = supervisorMachine.provide({ actors: { job: actors.job, claims, ceiling } });
  const supervisor = createActor(machine, {
    input: { depth: 50, concurrency, clusterConcurrency: 9, prefetch: 50, childrenMax: 200 },
  });
  supervisor.start();
  onTestFinished(() => void supervisor.stop());
  const take = async (symbol: string, epoch = 1) => {
    supervisor.send({
      type: 'claim.taken',
      claim: claimOf(symbol, epoch),
      progress: progressFrom(),
      limits,
    });
    await settled();
  };
  const send = async (event: Parameters<typeof supervisor.send>[0]) => {
    supervisor.send(event);
    await settled();
  };
  return {
    clock,
    used,
    freed,
    errors,
    actors,
    supervisor,
    flights,
    take,
    send,
    fail: (times: number) => {
      fails = times;
    },
    loseAnswer: () => {
      answersLost = 1;
    },
    /** Nothing is durable from now on, until what is answered is called. */
    holdCommits() {
      const gate = Promise.withResolvers<void>();
      durable = gate.promise;
      return async () => {
        gate.resolve();
        await settled();
      };
    },
    /** Somebody else uses that many permits. */
    others: (count: number) => {
      for (let n = 0; n < count; n += 1) used.add(`other ${n}`);
    },
    async wake() {
      for (const wake of wakers) wake();
      await settled();
    },
  };
}

test('a job runs once the cluster has a permit, and gives it back with its end', async () => {
  const run = bounded();
  await run.take('A');
  await run.take('B');
  expect([run.actors.running(), [...run.used]]).toEqual([['A'], ['A1']]);
  await run.send({ type: 'job.settled', symbol: 'A' });
  expect([run.actors.running(), [...run.used]]).toEqual([['B'], ['B1']]);
});

test('a job that backs off lends its permit to the next', async () => {
  const run = bounded();
  await run.take('A');
  await run.take('B');
  await run.actors.fail('A', transient);
  await settled();
  expect([run.actors.running(), run.actors.sleeping(), [...run.used]]).toEqual([['B'], ['A'], ['B1']]);
});

test('a permit goes back once it is durable why: no journal tells of the next holder before', async () => {
  const run = bounded();
  await run.take('A');
  await run.take('B');
  const open = run.holdCommits();
  await run.actors.fail('A', transient);
  await settled();
  expect([run.actors.running(), [...run.used]]).toEqual([[], ['A1']]);
  await open();
  expect([run.actors.running(), [...run.used]]).toEqual([['B'], ['B1']]);
});

test('a claim without a permit tries again at a notification, and after a second in any case', async () => {
  const run = bounded({ permits: 2 });
  run.others(2);
  await run.take('A');
  await run.take('B');
  expect(run.actors.running()).toEqual([]);
  run.used.delete('other 0');
  await run.wake();
  expect(run.actors.running()).toEqual(['A']);
  run.used.delete('other 1');
  run.clock.advance(1000);
  await settled();
  expect(run.actors.running()).toEqual(['A', 'B']);
});

test('a permit that is no longer needed is freed, even if the answer that granted it was lost', async () => {
  const run = bounded();
  run.loseAnswer();
  await run.take('A');
  expect([run.actors.running(), [...run.used], run.errors.length]).toEqual([[], ['A1'], 1]);
  await run.send({ type: 'claim.lost', symbol: 'A' });
  expect([...run.used]).toEqual([]);
});

test('a database that does not answer is asked again', async () => {
  const run = bounded();
  run.fail(1);
  await run.take('A');
  expect([run.actors.running(), run.errors.length]).toEqual([[], 1]);
  run.clock.advance(1000);
  await settled();
  expect(run.actors.running()).toEqual(['A']);
});

test('a drain gives back every permit, the last one too, before it reports that it is over', async () => {
  const run = bounded({ permits: 2 });
  await run.take('A');
  await run.take('B');
  await run.send({ type: 'drain', graceMs: 60_000 });
  await run.send({ type: 'job.settled', symbol: 'A' });
  expect(run.freed).toEqual(['A1']);
  run.supervisor.send({ type: 'job.settled', symbol: 'B' });
  expect(run.supervisor.getSnapshot().status).toBe('done');
  await run.flights.settled();
  expect([...run.used]).toEqual([]);
});
