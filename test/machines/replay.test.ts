import { describe, expect, test } from 'vitest';
import { type JournalEntry, replay, unreplayable } from '../../machines/replay.ts';
import { claimOf, limits, now, permanent, progressFrom, transient } from './harness.ts';

const job = claimOf('AAPL');
const running = 'processing.fetch.running';
const factors = 'processing.factors.running';

type Change = Partial<JournalEntry>;
const entry = (sequence: number, from: string | null, event: string, to: string, more: Change = {}) => ({
  ...{ sequence, from, to, event, claimEpoch: 1, error: null, actorSnapshot: null, input: null },
  ...more,
});
const created = entry(1, null, 'job.created', 'pending', { claimEpoch: 0 });
const spawned = (changes = {}) => ({ spawned: { progress: progressFrom(changes), limits } });
const claimed = entry(2, 'pending', 'claimed', 'pending', { input: spawned() });
const granted = entry(3, 'pending', 'permit.granted', running);
const begun = [created, claimed, granted];
const failed = entry(4, running, 'fetch.failed', 'processing.fetch.backingOff', {
  input: { failure: transient },
});
const done = (sequence: number) =>
  entry(sequence, running, 'fetch.done', factors, { input: { output: { results: { bars: 251 } } } });

const differences = (...journal: JournalEntry[]) =>
  replay(job, journal).flatMap(({ entry: { sequence }, difference }) =>
    difference === null ? [] : [`${sequence}: ${difference}`],
  );

describe('a replay', () => {
  test('agrees with what the machine wrote, and computes the actor snapshots of rows without one', () => {
    const steps = replay(job, [...begun, failed]);
    expect(steps.map(({ difference }) => difference)).toEqual([null, null, null, null]);
    expect(steps[1]?.actorSnapshot).toMatchObject({ value: 'pending', context: { epoch: 1, attempt: 1 } });
    expect(steps[3]?.actorSnapshot.context).toMatchObject({
      attempt: 2,
      retryAt: now + 500,
      permit: false,
      error: { code: 'provider_timeout', phase: 'fetch' },
    });
  });

  test('continues over takeovers, cancellations by claim, crashes and retries', () => {
    const resumed = { status: 'processing', resumes: 1 } as const;
    const over = entry(4, running, 'resumed', 'processing.fetch.waiting', {
      claimEpoch: 2,
      input: spawned(resumed),
    });
    const waiting = 'processing.fetch.waiting';
    expect(
      differences(
        ...begun,
        over,
        entry(5, waiting, 'job.cancel', 'cancelled', { claimEpoch: 3, input: spawned(resumed) }),
      ),
    ).toEqual([]);
    const crash = entry(4, running, 'job.crashed', 'failed', {
      error: { code: 'job_crashed', message: 'm' },
    });
    expect(differences(...begun, crash, entry(5, 'failed', 'job.retry', 'pending'))).toEqual([]);
  });

  test.each<[string, JournalEntry[], string]>([
    [
      'another state',
      [entry(4, running, 'fetch.done', 'failed', { input: done(4).input })],
      `expected ${factors}, got: failed`,
    ],
    [
      'another attempt',
      [
        {
          ...failed,
          actorSnapshot: { ...replay(job, [...begun, failed])[3]!.actorSnapshot, status: 'done' },
        },
      ],
      'expected status "active", got: "done"',
    ],
    [
      'an event that the machine ignores',
      [entry(4, running, 'permit.granted', factors)],
      `expected ${running}, got: ${factors}`,
    ],
    [
      'a claim that forgot an attempt',
      [failed, entry(5, failed.to, 'resumed', running, { input: spawned({ status: 'processing' }) })],
      'expected attempt to stay 2, got: 1',
    ],
    [
      'a claim that lost a result',
      [
        done(4),
        entry(5, factors, 'resumed', 'processing.factors.waiting', {
          input: spawned({ status: 'processing', phase: 'factors' }),
        }),
      ],
      'expected the result bars to stay 251, got: none',
    ],
    [
      'a gap',
      [entry(5, factors, 'factors.failed', 'failed', { input: { failure: permanent } })],
      `expected the previous state to be ${running}, got: ${factors}`,
    ],
  ])('finds %s', (_what, rows, difference) => {
    const found = differences(...begun, ...rows);
    expect(found[0]).toContain(difference);
  });

  test('says when a journal cannot be replayed', () => {
    expect(unreplayable([])).toContain('got: none');
    expect(unreplayable(begun)).toBeNull();
    expect(unreplayable([granted])).toContain('to begin with transition 1, got: 3');
    expect(unreplayable([claimed, granted])).toBeNull();
    expect(unreplayable([...begun, { ...done(4), input: null }])).toContain('transition 4');
    expect(unreplayable([created, { ...claimed, input: null }])).toContain('transition 2');
  });
});
