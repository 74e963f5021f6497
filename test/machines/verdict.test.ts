import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contextOf, type JobContext } from '../../machines/progress.ts';
import { phases } from '../../machines/protocol.ts';
import { verdictOn } from '../../machines/verdict.ts';
import { limits, now, permanent, random, transient, waitFor } from './harness.ts';

const context = (changes: Partial<JobContext> = {}): JobContext => ({
  ...contextOf(undefined),
  limits,
  ...changes,
});

describe('verdictOn', () => {
  test('plans the next attempt after a jittered backoff from the time of the failure', () => {
    expect(verdictOn(context({ attempt: 2 }), transient)).toEqual({
      kind: 'retry',
      attempt: 3,
      retryAt: now + 1000, // base 1 s, doubled once, half of it
      waitedMs: 0,
      error: { code: 'provider_timeout', message: transient.message, phase: 'fetch' },
    });
  });

  test('fails with the code of the provider when the attempts are used up', () => {
    expect(verdictOn(context({ attempt: 3 }), transient)).toMatchObject({ kind: 'retry', attempt: 4 });
    expect(verdictOn(context({ attempt: 4 }), transient)).toMatchObject({
      kind: 'fail',
      error: { code: 'provider_timeout', phase: 'fetch' },
    });
  });

  test('fails immediately on a permanent failure', () => {
    expect(verdictOn(context(), permanent)).toMatchObject({ kind: 'fail', error: { code: 'no_price_data' } });
    expect(verdictOn(context(), { ...permanent, retryAt: now + 5 })).toMatchObject({ kind: 'fail' });
  });

  test('waits until the time that the provider names, which uses up waiting time but no attempt', () => {
    expect(verdictOn(context({ attempt: 4, waitedMs: 300 }), waitFor(5000))).toMatchObject({
      kind: 'retry',
      attempt: 4,
      retryAt: now + 5000,
      waitedMs: 5300,
    });
  });

  test('does not start a wait that would exceed the limit', () => {
    const nearly = context({ waitedMs: limits.retryWaitMaxMs - 1000 });
    expect(verdictOn(nearly, waitFor(1000))).toMatchObject({
      kind: 'retry',
      waitedMs: limits.retryWaitMaxMs,
    });
    expect(verdictOn(nearly, waitFor(1001))).toMatchObject({
      kind: 'fail',
      error: { code: 'provider_throttled' },
    });
  });

  test('counts a wait that is already over as 100 ms, so that it ends and does not spin', () => {
    expect(verdictOn(context(), waitFor(-9000))).toMatchObject({ retryAt: now + 100, waitedMs: 100 });
  });

  test('waits for its own database without counting, however long it takes', () => {
    const pause = waitFor(3_600_000, 'database_unavailable');
    const spent = context({ attempt: 4, waitedMs: limits.retryWaitMaxMs });
    expect(verdictOn(spent, pause)).toMatchObject({
      kind: 'retry',
      attempt: 4,
      retryAt: now + 3_600_000,
      waitedMs: limits.retryWaitMaxMs,
    });
  });

  test.each([
    ['spent attempts', { attempt: 4 }, transient, 'reference_unavailable'],
    ['spent waiting', { waitedMs: limits.retryWaitMaxMs }, waitFor(1), 'reference_unavailable'],
    ['a permanent failure', {}, permanent, 'calculation_failed'],
    ['an exception', {}, new TypeError('x is undefined'), 'calculation_failed'],
  ])('degrades factors to defaults after %s', (_, changes, failure, reason) => {
    expect(verdictOn(context({ phase: 'factors', ...changes }), failure)).toMatchObject({
      kind: 'degrade',
      reason,
    });
    const degraded = context({ phase: 'factors', degraded: reason, ...changes });
    expect(verdictOn(degraded, failure)).toMatchObject({ kind: 'fail' });
  });

  test.each([
    ['nothing', undefined],
    ['text', 'boom'],
    ['an exception', new Error('password=secret')],
    ['a failure without jitter', { ...transient, jitter: undefined }],
    ['a failure at no time', { ...transient, at: Number.NaN }],
  ])('treats %s as a bug in the service and hides its cause', (_, thrown) => {
    const error = { code: 'internal_error', message: 'An unexpected error stopped this job', phase: 'fetch' };
    expect(verdictOn(context(), thrown)).toEqual({ kind: 'fail', error });
  });

  test('makes a message fit for every store', () => {
    const verdict = verdictOn(context(), { ...permanent, message: `\u0000${'x'.repeat(9999)}` });
    expect(verdict.error.message).toHaveLength(500);
    expect(verdict.error.message).not.toContain('\u0000');
  });

  test('ends: a run of failures lasts at most all attempts and waits', () => {
    const failure = fc.oneof(
      fc
        .double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
        .map((jitter) => ({ ...transient, jitter })),
      fc.integer({ min: -10_000, max: 100_000 }).map((ms) => waitFor(ms)),
    );
    const small = { ...limits, retryLimit: 2, retryWaitMaxMs: 60_000 };
    fc.assert(
      fc.property(fc.constantFrom(...phases), fc.infiniteStream(failure), (phase, failures) => {
        let at = context({ phase, limits: small, degraded: 'calculation_failed' });
        // Every step uses up an attempt or 100 ms of waiting: 2 retries and 600 waits at most.
        for (const next of failures.take(700)) {
          const verdict = verdictOn(at, next);
          if (verdict.kind !== 'retry') return verdict.kind === 'fail';
          expect(verdict.retryAt).toBeGreaterThanOrEqual(now);
          expect(verdict.attempt).toBeLessThanOrEqual(small.retryLimit + 1);
          expect(verdict.waitedMs).toBeLessThanOrEqual(small.retryWaitMaxMs);
          at = { ...at, attempt: verdict.attempt, waitedMs: verdict.waitedMs };
        }
        return false;
      }),
      random(200, 20_000),
    );
  });
});
