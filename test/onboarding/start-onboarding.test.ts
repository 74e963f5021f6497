import { afterEach, describe, expect, test } from 'vitest';
import { fromCallback } from 'xstate';
import { jobMachine } from '../../machines/job.ts';
import { type ClaimsEvent, phases, type SupervisorEvent } from '../../machines/protocol.ts';
import { supervisorMachine } from '../../machines/supervisor.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { loopHealths } from '../../src/kernel/loop-health.ts';
import { inFlight } from '../../src/onboarding/job/phases-in-flight.ts';
import {
  isRecord,
  type QueueEntry,
  type TakenClaim,
  type TransitionRecord,
} from '../../src/onboarding/job/ports.ts';
import { createRecorder } from '../../src/onboarding/journal/recorder.ts';
import type { PhaseWork } from '../../src/onboarding/phases.ts';
import { failureOf, jobActors, startOnboarding } from '../../src/onboarding/start-onboarding.ts';
import { traced } from '../../src/trace-context.ts';
import { settled } from '../machines/harness.ts';
import { TestClock } from '../support/clock.ts';
import { limits, takenOf } from './fixture.ts';

const outage = () =>
  new AppError('database_unavailable', 'The database does not answer.', { retryable: true });

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

/** One node without a database: real machines, recorder and actors; the test is its journal and its phases. */
function startNode({
  waits = true,
  touch = null as ((entries: readonly QueueEntry[]) => Promise<QueueEntry[]>) | null,
} = {}) {
  const clock = new TestClock();
  const committed: TransitionRecord[] = [];
  const errors: unknown[] = [];
  const released: string[] = [];
  const began: string[] = [];
  const refused: string[] = [];
  const faults: string[] = [];
  const stopped = new AbortController();
  const flights = inFlight();
  let commit = async () => {};
  let work: PhaseWork = async () => ({ results: {} });
  const recorder = createRecorder({
    ledger: {
      async commit(entries) {
        await commit();
        committed.push(...entries.filter(isRecord));
        return [];
      },
    },
    clock,
    log: (error) => errors.push(error),
    signal: stopped.signal,
    onEnded: (claim) => onboarding.send({ type: 'job.ended', ...claim }),
    onSettled: (claim) => onboarding.send({ type: 'job.settled', ...claim }),
    onLost: (claim) => onboarding.send({ type: 'claim.lost', ...claim }),
  });
  const phase: PhaseWork = async (input, signal, commits) => {
    if (waits) await commits.durable();
    began.push(`${input.claim.symbol} ${input.phase}`);
    return work(input, signal, commits);
  };
  const actors = jobActors(Object.fromEntries(phases.map((name) => [name, phase])) as never, {
    recorder,
    traced,
    inFlight: flights,
    clock,
    random: () => 0.5,
    onRefused: (claim, code) => {
      refused.push(code);
      onboarding.send({ type: code === 'claim_lost' ? 'claim.lost' : 'job.cancel', ...claim });
    },
    onFailure: (_, failure, error) => {
      if (failure.code === 'internal_error') errors.push(error);
    },
  });
  let send: (event: SupervisorEvent) => void = () => {};
  const claims = fromCallback<ClaimsEvent>(({ sendBack }) => {
    send = sendBack as typeof send;
  });
  const onboarding = startOnboarding({
    machine: supervisorMachine.provide({ actors: { job: jobMachine.provide({ actors }), claims } }),
    limits: { depth: 50, concurrency: 2, prefetch: 0 },
    recorder,
    inFlight: flights,
    jobs: { release: async (claims) => void released.push(...claims.map(({ claim }) => claim.symbol)) },
    touch,
    leases: loopHealths({ clock, log: (error) => errors.push(error) }).leases,
    stopWaiting: () => stopped.abort(new Error('the service stops')),
    onFault: (fault) => faults.push(fault),
    clock,
    log: (error) => errors.push(error),
  });
  running.push(() => onboarding.drain(0));
  return {
    clock,
    committed,
    errors,
    released,
    began,
    refused,
    faults,
    recorder,
    onboarding,
    journal: (next: typeof commit) => {
      commit = next;
    },
    phase: (next: PhaseWork) => {
      work = next;
    },
    async take(taken: TakenClaim) {
      recorder.begin(taken);
      send({ type: 'claim.taken', claim: taken.claim, progress: taken.progress, limits });
      await settled();
    },
    last: () => committed.at(-1)?.to,
  };
}

describe('a failure', () => {
  const when = { at: 5, jitter: 0.25 };
  test('reaches the machine as it was classified', () => {
    const throttled = new AppError('provider_throttled', 'Wait until noon', { retryAt: 99 });
    expect(failureOf(throttled, when)).toEqual({
      code: 'provider_throttled',
      message: 'Wait until noon',
      retryable: true,
      retryAt: 99,
      ...when,
    });
    expect(failureOf(new AppError('no_price_data', 'None'), when)).toEqual({
      code: 'no_price_data',
      message: 'None',
      retryable: false,
      ...when,
    });
  });

  test.each([new TypeError('x is undefined at line 3'), 'a string', undefined])(
    'that nobody classified is permanent, and says nothing of its insides: %s',
    (mistake) => {
      const message = 'An unexpected error stopped this job; the log has the details.';
      expect(failureOf(mistake, when)).toEqual({
        code: 'internal_error',
        message,
        retryable: false,
        ...when,
      });
    },
  );
});

describe('a node', () => {
  test('starts no phase before the transition that led to it is durable', async () => {
    const node = startNode();
    const gate = Promise.withResolvers<void>();
    node.journal(() => gate.promise);
    await node.take(takenOf('A'));
    expect(node.began).toEqual([]);
    gate.resolve();
    await settled();
    expect(node.began[0]).toBe('A fetch');
    await settled();
    expect(node.last()).toBe('completed');
  });

  test('commits staged effects of phases that do not wait, each with the transition that ends its phase', async () => {
    const node = startNode({ waits: false });
    const gate = Promise.withResolvers<void>();
    node.journal(() => gate.promise);
    node.phase(async ({ claim: { symbol }, phase }, _signal, commits) => {
      const entry = { symbol, quality: phase, reason: null, calculationDate: null };
      commits.stage({ kind: 'membership', entry });
      return { results: {} };
    });
    await node.take(takenOf('A'));
    gate.resolve();
    await settled();
    const left = node.committed.map(({ event, effect }) => [
      event,
      effect && 'entry' in effect ? effect.entry.quality : null,
    ]);
    expect(left).toEqual([['permit.granted', null], ...phases.map((phase) => [`${phase}.done`, phase])]);
  });

  test('stands still while the database is down, and uses up no attempt', async () => {
    const node = startNode();
    let away = true;
    node.journal(async () => {
      if (away) throw outage();
    });
    await node.take(takenOf('A'));
    for (let n = 0; n < 20; n += 1) await node.clock.advance(500);
    expect([node.began, node.committed]).toEqual([[], []]);
    away = false;
    await node.clock.advance(500);
    for (let n = 0; n < 10; n += 1) await settled();
    expect(node.last()).toBe('completed');
    expect(node.committed.every(({ job }) => job.attempt === 1)).toBe(true);
  });

  test('lets running phases end within the grace period, and releases the other jobs', async () => {
    const node = startNode();
    const fetches = new Map<string, PromiseWithResolvers<void>>();
    node.phase(async ({ claim, phase }) => {
      if (phase === 'fetch') {
        const fetch = Promise.withResolvers<void>();
        fetches.set(claim.symbol, fetch);
        await fetch.promise;
      }
      return { results: {} };
    });
    for (const symbol of ['A', 'B', 'C']) await node.take(takenOf(symbol));
    const drained = node.onboarding.drain(60_000);
    fetches.get('A')!.resolve();
    for (let n = 0; n < 10; n += 1) await settled();
    expect(node.committed.filter(({ claim }) => claim.symbol === 'A').at(-1)!.to).toBe('completed');
    fetches.get('B')!.resolve();
    await drained;
    expect(node.released).toEqual(['C']);
    expect(node.recorder.held()).toEqual([]);
  });

  test('stops while the database is down, and releases the jobs that could not be written', async () => {
    const node = startNode();
    node.journal(() => Promise.reject(outage()));
    await node.take(takenOf('A'));
    await node.onboarding.drain(0);
    expect(node.began).toEqual([]);
    expect(node.recorder.held()).toEqual([]);
    expect(node.errors).toContainEqual(expect.objectContaining({ code: 'database_unavailable' }));
  });

  test('sends a heartbeat every three seconds, and stops the child of a lost lease', async () => {
    const touched: string[][] = [];
    let lost: string[] = [];
    const node = startNode({
      touch: async (entries) => {
        touched.push(entries.map(({ id }) => id));
        return entries.filter(({ id }) => lost.includes(id));
      },
    });
    node.phase(
      (_, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    await node.take(takenOf('A'));
    await node.take(takenOf('B'));
    await node.clock.advance(2999);
    expect(touched).toEqual([]);
    await node.clock.advance(1);
    expect(touched).toEqual([['entry-A', 'entry-B']]);
    lost = ['entry-A'];
    await node.clock.advance(3000);
    expect(node.recorder.held().map(({ claim }) => claim.symbol)).toEqual(['B']);
    expect(node.onboarding.snapshot().context.children.map(({ symbol }) => symbol)).toEqual(['B']);
    await node.clock.advance(3000);
    expect(touched.at(-1)).toEqual(['entry-B']);
  });

  test('stops a child that the fence refused, and records no failure', async () => {
    const node = startNode();
    node.phase(() => Promise.reject(new AppError('claim_lost', 'This job was taken over.')));
    await node.take(takenOf('A'));
    expect([node.refused, node.faults]).toEqual([['claim_lost'], []]);
    expect(node.last()).toBe('processing.fetch.running');
    expect(node.onboarding.snapshot().context.children).toEqual([]);
  });

  test('does not confuse a job claimed again with the lease lost before', async () => {
    const answer = Promise.withResolvers<QueueEntry[]>();
    let asked: readonly QueueEntry[] = [];
    const node = startNode({
      touch: (entries) => {
        asked = entries;
        return answer.promise;
      },
    });
    node.phase(
      (_, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    await node.take(takenOf('A'));
    await node.clock.advance(3000);
    await node.take(takenOf('A', {}, 2));
    answer.resolve([...asked]);
    await settled();
    expect(node.recorder.held()).toMatchObject([{ claim: { epoch: 2 } }]);
    expect(node.onboarding.snapshot().context.children).toMatchObject([{ epoch: 2 }]);
  });
});
