import { afterEach, describe, expect, test } from 'vitest';
import { childrenMax } from '../../machines/protocol.ts';
import {
  claimOf,
  limits,
  liveSupervisor,
  now,
  permanent,
  poison,
  progressFrom,
  stopAll,
  transient,
  waitFor,
} from './harness.ts';

afterEach(stopAll);

const running = 'processing.fetch.running';
const backingOff = 'processing.fetch.backingOff';

describe('permits', () => {
  test('start as many symbols as the concurrency allows and let the others wait in order', () => {
    const { take, name, context } = liveSupervisor({ concurrency: 2 });
    for (const symbol of ['A', 'B', 'C', 'D']) take(symbol);
    expect(['A', 'B', 'C', 'D'].map(name)).toEqual([running, running, 'pending', 'pending']);
    expect(context()).toMatchObject({ permits: ['A', 'B'], waiting: ['C', 'D'] });
  });

  test('pass to the longest-waiting child when a job is settled', () => {
    const { take, send, name, symbols } = liveSupervisor({ concurrency: 1 });
    for (const symbol of ['A', 'B', 'C']) take(symbol);
    send({ type: 'job.settled', symbol: 'A' });
    expect(symbols()).toEqual(['B', 'C']);
    expect([name('B'), name('C')]).toEqual([running, 'pending']);
  });

  test('pass to jobs that a user waits for before a refresh that waited longer', () => {
    const { take, send, name, context } = liveSupervisor({ concurrency: 1 });
    take('A');
    const claim = { ...claimOf('OLD'), reason: 'refresh' as const };
    send({ type: 'claim.taken', claim, progress: progressFrom(), limits });
    for (const symbol of ['B', 'C']) take(symbol);
    send({ type: 'job.settled', symbol: 'A' });
    expect([name('B'), context().permits, context().waiting]).toEqual([running, ['B'], ['OLD', 'C']]);
    for (const symbol of ['B', 'C']) send({ type: 'job.settled', symbol });
    expect([name('OLD'), context().permits, context().waiting]).toEqual([running, ['OLD'], []]);
  });

  test('pass on when the end is queued for the journal; the child stays until it is settled', () => {
    const { take, send, name, symbols, context } = liveSupervisor({ concurrency: 1 });
    for (const symbol of ['A', 'B', 'C']) take(symbol);
    send({ type: 'job.ended', symbol: 'A' });
    expect([name('B'), name('C'), symbols()]).toEqual([running, 'pending', ['A', 'B', 'C']]);
    send({ type: 'job.settled', symbol: 'A' });
    expect([symbols(), context().permits]).toEqual([['B', 'C'], ['B']]);
  });

  test('are not granted during a pause, while running jobs continue to their end', async () => {
    const { take, send, actors, name, context } = liveSupervisor({ concurrency: 1 });
    take('A');
    take('B');
    send({ type: 'pause' });
    await actors.finish('A');
    expect(name('A')).toBe('processing.factors.running');
    send({ type: 'job.settled', symbol: 'A' });
    expect([name('B'), context().permits]).toEqual(['pending', []]);
    send({ type: 'resume' });
    expect([name('B'), context().permits]).toEqual([running, ['B']]);
  });

  test('are kept from phase to phase', async () => {
    const { take, actors, name, context } = liveSupervisor({ concurrency: 1 });
    take('A');
    take('B');
    await actors.finish('A');
    expect(name('A')).toBe('processing.factors.running');
    expect(context()).toMatchObject({ permits: ['A'], waiting: ['B'] });
  });

  test('are released while a symbol backs off, so that another one starts', async () => {
    const { take, actors, name, context } = liveSupervisor({ concurrency: 1 });
    take('A');
    take('B');
    await actors.fail('A', transient);
    expect([name('A'), name('B')]).toEqual([backingOff, running]);
    await actors.wake('A');
    expect(name('A')).toBe('processing.fetch.waiting');
    expect(context()).toMatchObject({ permits: ['B'], waiting: ['A'] });
    await actors.fail('B', waitFor(1000));
    expect([name('A'), name('B')]).toEqual([running, backingOff]);
  });

  test('stay with a job at rest until its end is committed', async () => {
    const { take, send, actors, name } = liveSupervisor({ concurrency: 1 });
    take('A');
    take('B');
    await actors.fail('A', permanent);
    expect([name('A'), name('B')]).toEqual(['failed', 'pending']);
    send({ type: 'job.settled', symbol: 'A' });
    expect([name('A'), name('B')]).toEqual([undefined, running]);
  });

  test('are requested again by a job that is retried before its end was settled', async () => {
    const { take, child, actors, name, context } = liveSupervisor({ concurrency: 1 });
    take('A');
    take('B');
    await actors.fail('A', permanent);
    child('A')?.send({ type: 'job.retry' });
    expect([name('A'), name('B')]).toEqual(['pending', running]);
    expect(context()).toMatchObject({ permits: ['B'], waiting: ['A'] });
  });

  test('are requested again by a partially completed job that is retried before its end was settled', async () => {
    const { take, child, actors, name, context } = liveSupervisor({ concurrency: 1 });
    take('A', { status: 'processing', phase: 'cache', partial: true });
    take('B');
    await actors.finish('A');
    child('A')?.send({ type: 'job.retry' });
    expect([name('A'), name('B')]).toEqual(['pending', running]);
    expect(context()).toMatchObject({ permits: ['B'], waiting: ['A'] });
  });

  test('are requested once and released once, and only a holder releases', async () => {
    const said: string[] = [];
    const { take, actors } = liveSupervisor(
      {},
      {
        inspect: (event) => {
          if (event.type === '@xstate.event' && event.event.type.startsWith('permit.'))
            said.push(event.event.type);
        },
      },
    );
    take('A', { status: 'processing', retryAt: now });
    expect(said).toEqual([]);
    await actors.wake('A');
    await actors.fail('A', transient);
    expect(said).toEqual(['permit.requested', 'permit.granted', 'permit.released']);
  });

  test('are not held by a child that resumes in its backoff or exceeded its resume limit', async () => {
    const { take, actors, name, context } = liveSupervisor({ concurrency: 1 });
    take('A', { status: 'processing', retryAt: now + 5000, attempt: 3 });
    take('B', { status: 'processing', resumes: limits.resumeLimit + 1 });
    expect([name('A'), name('B')]).toEqual([backingOff, 'failed']);
    expect(context()).toMatchObject({ permits: [], waiting: [] });
    await actors.wake('A');
    expect(name('A')).toBe(running);
    expect(actors.started).toMatchObject([{ attempt: 3 }]);
  });
});

describe('room', () => {
  test('is announced at the start and on each change, and only then', async () => {
    const { take, send, actors, rooms } = liveSupervisor({ concurrency: 2, prefetch: 0, depth: 10 });
    expect(rooms()).toEqual([2]);
    take('A');
    take('B');
    expect(rooms()).toEqual([2, 1, 0]);
    await actors.finish('A');
    expect(rooms()).toEqual([2, 1, 0]);
    await actors.fail('A', transient);
    expect(rooms()).toEqual([2, 1, 0, 1]); // a child in backoff takes no room
    await actors.wake('A');
    expect(rooms()).toEqual([2, 1, 0, 1, 0]);
    send({ type: 'job.settled', symbol: 'B' });
    expect(rooms()).toEqual([2, 1, 0, 1, 0, 1]);
  });

  test('is never announced too large, not even while a child replaces another', () => {
    const { take, rooms } = liveSupervisor({ concurrency: 1, prefetch: 0, depth: 10 });
    take('A');
    take('A', {}, 2);
    expect(rooms()).toEqual([1, 0]);
  });

  test('lets a node with prefetch claim up to the depth', () => {
    const { take, rooms, symbols } = liveSupervisor({ concurrency: 2, prefetch: 5, depth: 5 });
    for (const symbol of ['A', 'B', 'C', 'D', 'E']) take(symbol);
    expect(rooms()).toEqual([5, 4, 3, 2, 1, 0]);
    expect(symbols()).toHaveLength(5);
  });

  test('cannot be exceeded: a claim beyond the cap is refused, and no other child is stopped', () => {
    const { take, told, symbols } = liveSupervisor({ childrenMax: 2 });
    for (const symbol of ['A', 'B', 'C']) take(symbol);
    expect(symbols()).toEqual(['A', 'B']);
    expect(told.at(-1)).toEqual({ type: 'claim.refused', claim: claimOf('C') });
    take('A', {}, 2);
    expect(symbols().sort()).toEqual(['A', 'B']);
  });

  test('ends at 200 children', () => {
    const { take, symbols, rooms } = liveSupervisor({ depth: 1000, prefetch: 1000, childrenMax });
    for (let i = 0; i < 201; i++) take(`S${i}`);
    expect(symbols()).toHaveLength(200);
    expect(rooms().at(-1)).toBe(0);
  });
});

describe('a lost claim', () => {
  test('stops the child, aborts its phase and frees the permit', () => {
    const { take, send, actors, symbols, name } = liveSupervisor({ concurrency: 1 });
    take('A');
    take('B');
    send({ type: 'claim.lost', symbol: 'A', jobId: 'job-A', epoch: 1 });
    expect(actors.aborted).toEqual(['A']);
    expect(symbols()).toEqual(['B']);
    expect(name('B')).toBe(running);
  });

  test('taken again while the child lives replaces it: the old phase is aborted before the new child starts', () => {
    const { take, send, actors, child, symbols, name } = liveSupervisor({ concurrency: 1 });
    take('A');
    const old = child('A');
    take('A', { status: 'processing', phase: 'universe', attempt: 2 }, 2);
    expect(actors.aborted).toEqual(['A']);
    expect(old?.getSnapshot().status).toBe('stopped');
    expect(name('A')).toBe('processing.universe.running');
    expect(symbols()).toEqual(['A']);
    send({ type: 'job.settled', symbol: 'A', jobId: 'job-A', epoch: 2 });
    expect(actors.running()).toEqual([]);
  });

  test.each(['job.settled', 'claim.lost', 'job.cancel'] as const)(
    '%s for an earlier claim does not reach the next child',
    (type) => {
      const { take, send, name } = liveSupervisor();
      take('A', {}, 2);
      send({ type, symbol: 'A', jobId: 'job-A', epoch: 1 });
      send({ type, symbol: 'A', jobId: 'another job' });
      expect(name('A')).toBe(running);
    },
  );

  test('of a symbol without a child changes nothing', () => {
    const { send, context, told } = liveSupervisor();
    for (const type of [
      'job.settled',
      'claim.lost',
      'job.cancel',
      'permit.requested',
      'permit.released',
    ] as const) {
      send({ type, symbol: 'GHOST' });
    }
    expect(context()).toMatchObject({ children: [], permits: [], waiting: [] });
    expect(told).toHaveLength(1);
  });
});

describe('a cancel', () => {
  test('reaches the child, which stays until its end is committed', () => {
    const { take, send, actors, name } = liveSupervisor();
    take('A');
    send({ type: 'job.cancel', symbol: 'A', jobId: 'job-A' });
    expect(name('A')).toBe('cancelled');
    expect(actors.aborted).toEqual(['A']);
    send({ type: 'job.settled', symbol: 'A' });
    expect(name('A')).toBeUndefined();
  });
});

describe('an exception', () => {
  test('of one child stops that child, frees its permit and leaves its siblings processing', async () => {
    const { take, actors, supervisor, symbols, name, errors } = liveSupervisor({ concurrency: 2 });
    for (const symbol of ['A', 'B', 'C']) take(symbol);
    await actors.finish('A', poison);
    expect(symbols()).toEqual(['B', 'C']);
    expect([name('B'), name('C')]).toEqual([running, running]);
    expect(supervisor.getSnapshot().status).toBe('active');
    expect(errors).toEqual([]);
    await actors.finish('B');
    expect(name('B')).toBe('processing.factors.running');
  });

  test('of the claims actor drains the node and is named in its output', async () => {
    const { take, actors, supervisor, breakClaims, clock, errors } = liveSupervisor({ concurrency: 1 });
    take('A');
    take('B');
    breakClaims();
    expect(supervisor.getSnapshot().value).toBe('draining');
    clock.increment(9999);
    expect(actors.running()).toEqual(['A']);
    clock.increment(1);
    expect(supervisor.getSnapshot()).toMatchObject({
      status: 'done',
      output: { fault: 'the claims actor stopped' },
    });
    expect(actors.aborted).toEqual(['A']);
    expect(errors).toEqual([]);
  });
});
