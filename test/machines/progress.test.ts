import { resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { initialStateName, isAtRest, progressOf, retryOf, stateName, statusOf } from '../../machines/job.ts';
import { asksAtOnce, contextOf } from '../../machines/progress.ts';
import { type JobProgress, jobStatuses, type Phase, phases } from '../../machines/protocol.ts';
import { limits, liveJob, progressFrom, random, stopAll } from './harness.ts';

afterEach(stopAll);

const progress: fc.Arbitrary<JobProgress> = fc.record({
  status: fc.constantFrom('pending', 'processing'),
  phase: fc.constantFrom(...phases),
  attempt: fc.integer({ min: 1, max: 6 }),
  retryAt: fc.option(fc.integer({ min: 0, max: 2 ** 45 })),
  waitedMs: fc.nat(),
  partial: fc.boolean(),
  degraded: fc.option(fc.constantFrom('reference_unavailable', 'calculation_failed')),
  results: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))),
  resumes: fc.integer({ min: 0, max: 8 }),
});

/** The state that a row means, said once more in other words than the machine's. */
function expectedState({ status, phase, retryAt, resumes }: JobProgress): string {
  if (resumes > limits.resumeLimit) return 'failed';
  if (status === 'pending') return 'pending';
  return `processing.${phase}.${retryAt === null ? 'waiting' : 'backingOff'}`;
}

describe('a child requests a permit immediately', () => {
  test('if and only if it enters a state that waits for one', () => {
    fc.assert(
      fc.property(progress, (one) => {
        expect(asksAtOnce(one, limits)).toBe(/pending|waiting$/.test(initialStateName(one, limits)));
      }),
      random(200, 5000),
    );
  });
});

describe('stateName', () => {
  test('is the path of the state, with dots', () => {
    expect(stateName('pending')).toBe('pending');
    expect(stateName({ processing: { fetch: 'running' } })).toBe('processing.fetch.running');
    expect(statusOf('processing.fetch.running')).toBe('processing');
  });

  test.each(jobStatuses)('%s is at rest exactly when nothing more happens by itself', (status) => {
    expect(isAtRest(status)).toBe(['completed', 'failed', 'cancelled'].includes(status));
  });
});

describe('resuming', () => {
  const combinations = phases.flatMap((phase: Phase) =>
    (['pending', 'processing'] as const).flatMap((status) =>
      [1, 2, 4].flatMap((attempt) =>
        [null, 1_800_000_000_000].flatMap((retryAt) =>
          [0, limits.resumeLimit, limits.resumeLimit + 1].map((resumes) =>
            progressFrom({ phase, status, attempt, retryAt, resumes }),
          ),
        ),
      ),
    ),
  );

  test.each(combinations)(
    'enters where the row says: $status $phase, attempt $attempt, retryAt $retryAt, resumes $resumes',
    (row) => {
      const { name, context, names, actors, actor } = liveJob(row);
      expect(name()).toBe(expectedState(row));
      expect(initialStateName(row, limits)).toBe(name());
      expect(names).toEqual([name()]);
      expect(context()).toMatchObject({ phase: row.phase, attempt: row.attempt });
      if (name() === 'failed') {
        expect(context().error).toMatchObject({ code: 'resume_limit_exceeded', phase: row.phase });
        return;
      }
      if (name().endsWith('backingOff')) expect(actors.wakeTime('AAPL')).toBe(row.retryAt);
      else actor.send({ type: 'permit.granted' });
      expect(actors.started).toHaveLength(row.retryAt === null ? 1 : 0);
      for (const input of actors.started)
        expect(input).toMatchObject({ phase: row.phase, attempt: row.attempt });
    },
  );

  test('keeps every field of the row, so being interrupted costs nothing', () => {
    fc.assert(
      fc.property(progress, (row) => {
        const { actor, name } = liveJob(row);
        const resumed = progressOf(actor.getSnapshot());
        const atRest = name() === 'failed';
        expect(resumed).toMatchObject({
          ...row,
          status: statusOf(name()),
          retryAt: atRest ? null : row.retryAt,
        });
        expect(initialStateName(row, limits)).toBe(name());
        expect(name()).toBe(expectedState(row));
        stopAll();
      }),
      random(200, 5000),
    );
  });
});

describe('retryOf', () => {
  const row = fc
    .record({ progress, status: fc.constantFrom(...jobStatuses) })
    .map(({ progress, status }) => ({
      ...progress,
      results: { bars: 251, proxyVersion: '2026-02-27' },
      status,
    }));

  test('accepts exactly what the machine accepts, and returns the same row', () => {
    fc.assert(
      fc.property(row, (at) => {
        const next = retryOf(at);
        const accepts = at.status === 'failed' || (at.status === 'completed' && at.partial);
        expect(next !== null).toBe(accepts);
        if (!next) return;
        const phase = at.status === 'completed' ? 'factors' : at.phase;
        const measures = phase === 'factors';
        expect(next).toEqual({
          status: 'pending',
          phase,
          attempt: 1,
          retryAt: null,
          waitedMs: 0,
          resumes: 0,
          // What the phases before it left; of the phase itself, nothing that pins it to the past.
          results: phase === 'fetch' ? {} : measures ? { bars: 251 } : at.results,
          partial: measures ? false : at.partial,
          degraded: measures ? null : at.degraded,
        });
        expect(initialStateName(next, limits)).toBe('pending');
      }),
      random(100, 3000),
    );
  });

  test('says what a live job does', () => {
    const failed = liveJob(progressFrom({ status: 'processing', phase: 'snapshot', resumes: 99 }));
    const before = progressOf(failed.actor.getSnapshot());
    failed.actor.send({ type: 'job.retry' });
    const { outcome: _outcome, error: _error, ...after } = progressOf(failed.actor.getSnapshot());
    expect(retryOf(before)).toEqual(after);
  });
});

describe('the machine', () => {
  test('tolerates being asked without input, as XState does when it only looks ahead', () => {
    expect(contextOf(undefined)).toMatchObject({ phase: 'fetch', attempt: 1, claim: { symbol: '' } });
  });

  test('holds no function that reads a clock or a random number', async () => {
    const { readdirSync, readFileSync } = await import('node:fs');
    const folder = resolve(import.meta.dirname, '../../machines');
    for (const file of readdirSync(folder).filter((name) => /^[\w-]+\.ts$/.test(name))) {
      const text = readFileSync(resolve(folder, file), 'utf8');
      expect(text, file).not.toMatch(/Date\b|Math\.random|setTimeout|performance|from 'node:/);
      for (const [, from] of text.matchAll(/from '([^']+)'/g))
        expect(from, file).toMatch(/^(xstate|zod|\.\/[\w-]+\.ts)$/);
    }
  });
});
