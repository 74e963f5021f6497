import { afterEach, describe, expect, test } from 'vitest';
import { progressOf } from '../../machines/job.ts';
import { type Phase, phases } from '../../machines/protocol.ts';
import { liveJob, now, permanent, progressFrom, stopAll, transient, waitFor } from './harness.ts';

afterEach(stopAll);

/** A live job that runs that phase. */
function jobIn(phase: Phase, limits: Parameters<typeof liveJob>[1] = {}) {
  const job = liveJob(progressFrom({ status: 'processing', phase }), limits);
  job.actor.send({ type: 'permit.granted' });
  return job;
}

describe('a job', () => {
  test('waits in pending and goes through the five phases under one permit', async () => {
    const { actor, actors, names, name, context } = liveJob(progressFrom());
    expect(name()).toBe('pending');
    actor.send({ type: 'permit.granted' });
    for (const phase of phases) {
      expect(name()).toBe(`processing.${phase}.running`);
      await actors.finish('AAPL', { results: { [phase]: 1 } });
    }
    expect(names).toEqual(['pending', ...phases.map((phase) => `processing.${phase}.running`), 'completed']);
    expect(progressOf(actor.getSnapshot())).toEqual({
      status: 'completed',
      outcome: 'complete',
      phase: 'cache',
      attempt: 1,
      retryAt: null,
      waitedMs: 0,
      partial: false,
      degraded: null,
      results: { fetch: 1, factors: 1, universe: 1, snapshot: 1, cache: 1 },
      resumes: 0,
      error: null,
    });
    expect(context().permit).toBe(true);
  });

  test('has states that the compiler knows by name', () => {
    const snapshot = jobIn('fetch').actor.getSnapshot();
    expect(snapshot.matches({ processing: { fetch: 'running' } })).toBe(true);
    // @ts-expect-error no phase has such a state
    expect(snapshot.matches({ processing: { fetch: 'runs' } })).toBe(false);
    // @ts-expect-error there is no such phase
    expect(snapshot.matches({ processing: 'fetched' })).toBe(false);
  });

  test('passes earlier results to each phase, and the reason for defaults only to factors', async () => {
    const { actors } = jobIn('fetch');
    await actors.finish('AAPL', { results: { bars: 251 } });
    await actors.fail('AAPL', permanent);
    await actors.finish('AAPL', { results: { window: '2024-05-01' }, partial: true });
    expect(
      actors.started.map(({ phase, attempt, results, degraded }) => ({ phase, attempt, results, degraded })),
    ).toEqual([
      { phase: 'fetch', attempt: 1, results: {}, degraded: null },
      { phase: 'factors', attempt: 1, results: { bars: 251 }, degraded: null },
      { phase: 'factors', attempt: 1, results: { bars: 251 }, degraded: 'calculation_failed' },
      { phase: 'universe', attempt: 1, results: { bars: 251, window: '2024-05-01' }, degraded: null },
    ]);
  });

  test.each(phases)('retries %s three times with growing backoffs, then fails or degrades', async (phase) => {
    const { actor, actors, name, context } = jobIn(phase);
    for (const [attempt, wakeMs] of [500, 1000, 2000].entries()) {
      expect(context().attempt).toBe(attempt + 1);
      await actors.fail('AAPL', transient);
      expect(name()).toBe(`processing.${phase}.backingOff`);
      expect(actors.wakeTime('AAPL')).toBe(now + wakeMs);
      expect(context().error).toEqual({ code: 'provider_timeout', message: transient.message, phase });
      await actors.wake('AAPL');
      expect(name()).toBe(`processing.${phase}.waiting`);
      expect(context().retryAt).toBeNull();
      actor.send({ type: 'permit.granted' });
    }
    await actors.fail('AAPL', transient);
    expect(name()).toBe(phase === 'factors' ? 'processing.factors.running' : 'failed');
    expect(actors.started.map(({ attempt }) => attempt)).toEqual(
      phase === 'factors' ? [1, 2, 3, 4, 1] : [1, 2, 3, 4],
    );
  });

  test('starts the next phase with all its attempts and without an error', async () => {
    const { actor, actors, context } = jobIn('fetch');
    await actors.fail('AAPL', transient);
    await actors.wake('AAPL');
    actor.send({ type: 'permit.granted' });
    await actors.finish('AAPL');
    expect(context()).toMatchObject({ phase: 'factors', attempt: 1, error: null });
  });

  test('counts takeovers in a row only until a phase completes', async () => {
    const { actor, actors, context } = liveJob(progressFrom({ status: 'processing', resumes: 5 }));
    actor.send({ type: 'permit.granted' });
    expect(context().resumes).toBe(5);
    await actors.finish('AAPL');
    expect(context()).toMatchObject({ phase: 'factors', resumes: 0 });
  });

  test('uses up no attempt by waiting, and fails when the waits exceed their limit', async () => {
    const { actor, actors, context, name } = jobIn('fetch', { retryWaitMaxMs: 10_000 });
    for (const waitedMs of [4000, 8000]) {
      await actors.fail('AAPL', waitFor(4000));
      expect(context()).toMatchObject({ attempt: 1, waitedMs, retryAt: now + 4000 });
      await actors.wake('AAPL');
      actor.send({ type: 'permit.granted' });
    }
    await actors.fail('AAPL', waitFor(4000));
    expect(name()).toBe('failed');
    expect(context()).toMatchObject({ waitedMs: 8000, retryAt: null, error: { code: 'provider_throttled' } });
  });

  test('stores defaults when its factors cannot be measured, and completes partially', async () => {
    const { actors, name, context, actor } = jobIn('factors', { retryLimit: 0 });
    await actors.fail('AAPL', transient);
    expect(name()).toBe('processing.factors.running');
    expect(context()).toMatchObject({
      degraded: 'reference_unavailable',
      partial: true,
      attempt: 1,
      permit: true,
    });
    for (const _ of ['factors', 'universe', 'snapshot', 'cache']) await actors.finish('AAPL');
    expect(progressOf(actor.getSnapshot())).toMatchObject({
      status: 'completed',
      outcome: 'partial',
      error: null,
    });
  });

  test('fails when not even the defaults can be stored', async () => {
    const { actors, name, context } = jobIn('factors');
    await actors.fail('AAPL', permanent);
    await actors.fail('AAPL', { ...permanent, code: 'disk_full' });
    expect(name()).toBe('failed');
    expect(context()).toMatchObject({
      degraded: 'calculation_failed',
      error: { code: 'disk_full', phase: 'factors' },
    });
  });

  test('completes partially when a phase says so', async () => {
    const { actors, actor } = jobIn('factors');
    await actors.finish('AAPL', { results: {}, partial: true });
    for (const _ of ['universe', 'snapshot', 'cache']) await actors.finish('AAPL');
    expect(progressOf(actor.getSnapshot())).toMatchObject({
      outcome: 'partial',
      partial: true,
      degraded: null,
    });
  });

  test('fails without showing the cause when the sleep actor breaks', async () => {
    const { actors, name, context } = jobIn('universe');
    await actors.fail('AAPL', transient);
    await actors.breakSleep('AAPL');
    expect(name()).toBe('failed');
    expect(context().error?.code).toBe('internal_error');
  });
});

describe('cancelling', () => {
  test('ends a pending job', () => {
    const { actor, name } = liveJob(progressFrom());
    actor.send({ type: 'job.cancel' });
    expect(name()).toBe('cancelled');
  });

  test.each(['fetch', 'factors', 'universe'] as const)('aborts %s while it runs', (phase) => {
    const { actor, actors, name } = jobIn(phase);
    actor.send({ type: 'job.cancel' });
    expect(name()).toBe('cancelled');
    expect(actors.aborted).toEqual(['AAPL']);
    expect(actors.running()).toEqual([]);
  });

  test.each(['fetch', 'factors', 'universe'] as const)(
    'ends the backoff and the waiting of %s',
    async (phase) => {
      const backing = jobIn(phase);
      await backing.actors.fail('AAPL', transient);
      backing.actor.send({ type: 'job.cancel' });
      expect(progressOf(backing.actor.getSnapshot())).toMatchObject({
        status: 'cancelled',
        retryAt: null,
        error: null,
      });
      expect(backing.actors.sleeping()).toEqual([]);
      const waiting = liveJob(progressFrom({ status: 'processing', phase }));
      waiting.actor.send({ type: 'job.cancel' });
      expect(waiting.name()).toBe('cancelled');
    },
  );

  test.each(['snapshot', 'cache'] as const)('is too late in %s', async (phase) => {
    const { actor, actors, name } = jobIn(phase);
    actor.send({ type: 'job.cancel' });
    expect(name()).toBe(`processing.${phase}.running`);
    await actors.fail('AAPL', transient);
    actor.send({ type: 'job.cancel' });
    expect(name()).toBe(`processing.${phase}.backingOff`);
    await actors.wake('AAPL');
    actor.send({ type: 'job.cancel' });
    expect(name()).toBe(`processing.${phase}.waiting`);
    expect(actors.aborted).toEqual([]);
  });

  test('stopping a child aborts its phase and is no transition', () => {
    const { actor, actors, names } = jobIn('fetch');
    const before = [...names];
    actor.stop();
    expect(actors.aborted).toEqual(['AAPL']);
    expect(names).toEqual(before);
  });
});

describe('retrying', () => {
  test.each(phases)('goes on at %s after it failed there, with all attempts and waits', async (phase) => {
    const job = liveJob(
      progressFrom({
        status: 'processing',
        phase,
        attempt: 3,
        waitedMs: 70,
        resumes: 2,
        degraded: 'calculation_failed',
      }),
    );
    job.actor.send({ type: 'permit.granted' });
    await job.actors.fail('AAPL', permanent);
    expect(job.name()).toBe('failed');
    job.actor.send({ type: 'job.retry' });
    expect(job.name()).toBe('pending');
    expect(job.context()).toMatchObject({
      phase,
      attempt: 1,
      waitedMs: 0,
      resumes: 0,
      error: null,
      permit: false,
    });
    job.actor.send({ type: 'permit.granted' });
    expect(job.name()).toBe(`processing.${phase}.running`);
  });

  test('measures the factors again after they had degraded and failed', async () => {
    const { actor, actors, context } = jobIn('factors');
    await actors.fail('AAPL', permanent);
    await actors.fail('AAPL', permanent);
    actor.send({ type: 'job.retry' });
    expect(context()).toMatchObject({ phase: 'factors', degraded: null, partial: false });
  });

  test('keeps what is known about stored defaults when a later phase failed', async () => {
    const { actor, actors, context } = jobIn('factors');
    await actors.fail('AAPL', permanent);
    await actors.finish('AAPL', { results: {}, partial: true });
    await actors.fail('AAPL', permanent);
    actor.send({ type: 'job.retry' });
    expect(context()).toMatchObject({ phase: 'universe', degraded: 'calculation_failed', partial: true });
  });

  test('a partial completion measures its factors again and may become complete', async () => {
    const { actor, actors, name } = jobIn('factors');
    await actors.fail('AAPL', permanent);
    for (const _ of ['factors', 'universe', 'snapshot', 'cache']) await actors.finish('AAPL');
    actor.send({ type: 'job.retry' });
    expect(name()).toBe('pending');
    actor.send({ type: 'permit.granted' });
    expect(name()).toBe('processing.factors.running');
    for (const _ of ['factors', 'universe', 'snapshot', 'cache']) await actors.finish('AAPL');
    expect(progressOf(actor.getSnapshot())).toMatchObject({
      outcome: 'complete',
      partial: false,
      degraded: null,
    });
  });

  test('is refused by a complete and by a cancelled job', async () => {
    const complete = jobIn('cache');
    await complete.actors.finish('AAPL');
    complete.actor.send({ type: 'job.retry' });
    expect(complete.name()).toBe('completed');
    const cancelled = liveJob(progressFrom());
    cancelled.actor.send({ type: 'job.cancel' });
    cancelled.actor.send({ type: 'job.retry' });
    expect(cancelled.name()).toBe('cancelled');
  });
});
