import { describe, expect, test } from 'vitest';
import { isRecord, type TakenClaim } from '../../../src/onboarding/job/ports.ts';
import { groupCommit } from '../../../src/onboarding/journal/group-commit.ts';
import { settled } from '../../machines/harness.ts';
import { recordOf, takenOf } from '../fixture.ts';
import { effectOf, held, label, stale, transition } from '../held-ledger.ts';

const beginning = (taken: TakenClaim, sequence: number) => ({
  ...transition(taken, sequence),
  event: 'permit.granted',
});
const backingOff = (taken: TakenClaim, sequence: number) =>
  recordOf(taken, 'processing.fetch.backingOff', { sequence });
const ending = (taken: TakenClaim, sequence: number) => recordOf(taken, 'failed', { sequence });

describe('batches of the group commit', () => {
  const aapl = takenOf('AAPL');
  const msft = takenOf('MSFT');

  test('has one batch in flight; entries that arrive meanwhile form the next one', async () => {
    const { options, calls, committed, land } = held();
    const commits = groupCommit(options);
    commits.add(transition(aapl, 3));
    await settled();
    for (const record of [transition(msft, 3), transition(aapl, 4), transition(msft, 4)]) commits.add(record);
    await settled();
    expect(calls).toEqual([['AAPL3']]);
    expect(committed).toEqual([]);
    await land();
    expect(calls).toEqual([['AAPL3'], ['MSFT3', 'AAPL4', 'MSFT4']]);
    expect(committed).toEqual(['AAPL3']);
    await land();
    expect(committed).toEqual(['AAPL3', 'MSFT3', 'AAPL4', 'MSFT4']);
  });

  test('takes the entries of one event-loop turn as one batch of at most 200', async () => {
    const { options, calls, land } = held();
    const commits = groupCommit(options);
    for (let n = 3; n < 503; n += 1) commits.add(transition(aapl, n));
    await settled();
    for (let left = 0; left < 3; left += 1) await land();
    expect(calls.map(({ length }) => length)).toEqual([200, 200, 100]);
    await commits.idle();
  });

  test('takes at most 50 entries if some have effects, which may be whole series', async () => {
    const { options, calls, land } = held();
    const commits = groupCommit(options);
    commits.add(transition(aapl, 3));
    await settled();
    for (let n = 0; n < 120; n += 1) commits.add(effectOf(takenOf(`S${n}-`)));
    for (let left = 0; left < 4; left += 1) await land();
    await commits.idle();
    expect(calls.map(({ length }) => length)).toEqual([1, 50, 50, 20]);
  });

  test('is overtaken by other jobs while a lock blocks it', async () => {
    const { options, calls, committed, clock, land } = held();
    const commits = groupCommit(options);
    commits.add(effectOf(aapl));
    await settled();
    for (const entry of [transition(aapl, 3), transition(msft, 3)]) commits.add(entry);
    await clock.advance(49);
    await settled();
    expect(calls).toEqual([['AAPL effect']]);
    await clock.advance(1);
    await settled();
    expect(calls.slice(1)).toEqual([['MSFT3']]);
    await land();
    await land();
    await settled();
    expect(calls.slice(2)).toEqual([['AAPL3']]);
    await land();
    await commits.idle();
    expect(committed).toHaveLength(3);
  });

  test('is overtaken by a job that starts, unless its permit may come from the blocked batch', async () => {
    const { options, calls, clock, land } = held();
    const commits = groupCommit(options);
    const wait = async () => {
      await clock.advance(50);
      await settled();
    };
    commits.add(effectOf(aapl));
    await settled();
    commits.add(ending(msft, 3));
    commits.add(beginning(takenOf('NEXT'), 3));
    await wait();
    expect(calls.slice(1)).toEqual([['MSFT3', 'NEXT3']]);
    commits.add(ending(aapl, 3));
    commits.add(beginning(takenOf('LAST'), 3));
    commits.add(transition(takenOf('OTHER'), 3));
    await wait();
    expect(calls.slice(2)).toEqual([['OTHER3']]);
    for (let left = 0; left < 3; left += 1) await land();
    expect(calls.slice(3)).toEqual([['AAPL3', 'LAST3']]);
    await land();
    await commits.idle();
  });

  test('starts no job in the first half whose permit may come from the second half', async () => {
    const { options, calls, land } = held();
    const commits = groupCommit(options);
    const woken = takenOf('WOKEN');
    commits.add(transition(woken, 3));
    for (let n = 0; n < 18; n += 1) commits.add(transition(takenOf(`S${n}-`), 3));
    commits.add(ending(aapl, 3));
    commits.add(beginning(woken, 4));
    await settled();
    await land();
    expect(calls[0]).toContain('WOKEN3');
    expect(calls[0]).not.toContain('WOKEN4');
    expect(calls[1]!.slice(-2)).toEqual(['AAPL3', 'WOKEN4']);
    await land();
    await commits.idle();
  });

  test('is not overtaken by later records of a starting job: its journal would have a gap', async () => {
    const { options, calls, committed, clock, land } = held();
    const commits = groupCommit(options);
    const begun = takenOf('NEW');
    commits.add(backingOff(aapl, 3));
    await settled();
    commits.add(beginning(begun, 3));
    for (const entry of [transition(begun, 4), transition(msft, 3), effectOf(begun)]) commits.add(entry);
    await clock.advance(50);
    await settled();
    expect(calls.slice(1)).toEqual([['MSFT3']]);
    await land();
    await land();
    await settled();
    expect(calls.slice(2)).toEqual([['NEW3', 'NEW4', 'NEW effect']]);
    await land();
    await commits.idle();
    expect(committed).toHaveLength(5);
  });

  test('splits many jobs that move in step: one half is written while the other half runs', async () => {
    const { options, calls, committed, land } = held();
    const told: string[] = [];
    const commits = groupCommit({
      ...options,
      onCommitted(record) {
        options.onCommitted(record);
        told.push(`${label(record)} after ${calls.length} batches`);
        if (isRecord(record) && record.sequence >= 3 && record.sequence < 5)
          commits.add({ ...record, sequence: record.sequence + 1 });
      },
    });
    const jobs = Array.from({ length: 20 }, (_, n) => takenOf(`S${n}-`));
    const labels = (some: typeof jobs, sequence: number) =>
      some.map(({ claim }) => `${claim.symbol}${sequence}`);
    const [half, others] = [jobs.slice(0, 10), jobs.slice(10)];
    // Each has two to write, and the second ones come when all of the first are there.
    for (const sequence of [2, 3]) for (const job of jobs) commits.add(transition(job, sequence));
    await settled();
    expect(calls).toEqual([[...labels(half, 2), ...labels(half, 3)]]);
    await land();
    expect(calls.slice(1)).toEqual([[...labels(others, 2), ...labels(others, 3)]]);
    expect(told[0]).toBe('S0-2 after 2 batches');
    await land();
    expect(calls.slice(2)).toEqual([labels(half, 4)]);
    for (let left = 0; left < 4; left += 1) await land().catch(() => {});
    await commits.idle();
    expect(calls.map(({ length }) => length)).toEqual([20, 20, 10, 10, 10, 10]);
    expect(committed).toHaveLength(80);
  });

  test('starts no job before the job whose permit it has, even when split job by job', async () => {
    const { options, calls, land } = held((batch) => batch.length > 3 && stale());
    const commits = groupCommit(options);
    for (const entry of [transition(msft, 3), ending(aapl, 3), beginning(msft, 4), transition(msft, 5)])
      commits.add(entry);
    await settled();
    for (let left = 0; left < 3; left += 1) await land().catch(() => {});
    await commits.idle();
    expect(calls.slice(1)).toEqual([['MSFT3'], ['AAPL3'], ['MSFT4', 'MSFT5']]);
  });
});
