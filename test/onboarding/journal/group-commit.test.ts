import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/kernel/errors.ts';
import { type Entry, isRecord } from '../../../src/onboarding/job/ports.ts';
import { groupCommit } from '../../../src/onboarding/journal/group-commit.ts';
import { settled } from '../../machines/harness.ts';
import { numRuns } from '../../support/series.ts';
import { takenOf } from '../fixture.ts';
import { effectOf, held, outage, stale, transition } from '../held-ledger.ts';

describe('group commit', () => {
  const aapl = takenOf('AAPL');
  const msft = takenOf('MSFT');

  test('is idle only when everything is written', async () => {
    const { options, land } = held();
    const commits = groupCommit(options);
    await commits.idle();
    let idle = false;
    commits.add(transition(aapl, 3));
    commits.idle().then(() => {
      idle = true;
    });
    await settled();
    commits.add(transition(aapl, 4));
    await land();
    expect(idle).toBe(false);
    await land();
    expect(idle).toBe(true);
  });

  test('splits a batch with one stale claim, so that the others are written', async () => {
    const isStale = (batch: readonly Entry[]) => batch.some(({ claim }) => claim.symbol === 'AAPL');
    const { options, calls, committed, lost, land } = held((batch) => (isStale(batch) ? stale() : null));
    const commits = groupCommit(options);
    for (const record of [transition(aapl, 3), transition(msft, 3), transition(aapl, 4)]) commits.add(record);
    await settled();
    await land();
    await commits.idle();
    expect(calls).toEqual([['AAPL3', 'MSFT3', 'AAPL4'], ['AAPL3', 'AAPL4'], ['AAPL3'], ['MSFT3']]);
    expect(committed).toEqual(['MSFT3']);
    expect(lost.map(([record]) => record)).toEqual(['AAPL3', 'AAPL4']);
    expect(lost[0]![1]).toMatchObject({ code: 'claim_lost' });
  });

  test('refuses only the effect: the journal records before and after it are written', async () => {
    const refusal = new AppError('job_cancelled', 'Cancellation of this job was requested.');
    const isRefused = (batch: readonly Entry[]) =>
      batch.some((entry) => !isRecord(entry) && entry.claim.symbol === 'AAPL');
    const { options, committed, lost, land } = held((batch) => (isRefused(batch) ? refusal : null));
    const commits = groupCommit(options);
    for (const entry of [transition(aapl, 3), effectOf(aapl), effectOf(msft), transition(aapl, 4)])
      commits.add(entry);
    await settled();
    for (let left = 0; left < 3; left += 1) await land();
    await commits.idle();
    expect(lost).toEqual([['AAPL effect', refusal]]);
    expect(committed.sort()).toEqual(['AAPL3', 'AAPL4', 'MSFT effect']);
  });

  test('does not confuse an older claim of a job with the newer one', async () => {
    const again = takenOf('AAPL', {}, 2);
    const isStale = (batch: readonly Entry[]) => batch.some(({ claim }) => claim.epoch === 1);
    const { options, committed, lost, land } = held((batch) => (isStale(batch) ? stale() : null));
    const commits = groupCommit(options);
    commits.add(transition(aapl, 3));
    commits.add(transition(again, 4));
    await settled();
    await land();
    await commits.idle();
    expect(lost.map(([record]) => record)).toEqual(['AAPL3']);
    expect(committed).toEqual(['AAPL4']);
  });

  test('also loses the entries after a lost transition: the journal has no gaps', async () => {
    const refused = new Error('value too long');
    const { options, calls, committed, lost, land } = held();
    const commits = groupCommit(options);
    commits.add(transition(aapl, 3));
    await settled();
    commits.add(transition(aapl, 4));
    commits.add(transition(msft, 3));
    await land(refused);
    expect(calls).toEqual([['AAPL3'], ['MSFT3']]);
    await land();
    expect(committed).toEqual(['MSFT3']);
    expect(lost).toEqual([
      ['AAPL3', refused],
      ['AAPL4', expect.objectContaining({ code: 'claim_lost' })],
    ]);
  });

  test('retries until the database answers, and keeps order and records', async () => {
    const { options, calls, committed, errors, lost, clock, land } = held();
    const commits = groupCommit(options);
    commits.add(transition(aapl, 3));
    await settled();
    for (const pauseMs of [2000, 500, 500]) {
      await land(outage(clock.now() + (pauseMs === 2000 ? 2000 : 0)));
      commits.add(transition(aapl, 4 + errors.length));
      expect(clock.pending.at(-1)).toBe(clock.now() + pauseMs);
      await clock.advance(pauseMs - 1);
      await settled();
      expect(calls.length).toBe(errors.length);
      await clock.advance(1);
      await settled();
    }
    await land();
    await land();
    await commits.idle();
    expect(committed).toEqual(['AAPL3', 'AAPL5', 'AAPL6', 'AAPL7']);
    expect(errors).toHaveLength(3);
    expect(lost).toEqual([]);
  });

  test('stops retrying when the process stops: unwritten entries are lost, and idle resolves', async () => {
    const { options, lost, stop, clock, land } = held();
    const commits = groupCommit(options);
    commits.add(transition(aapl, 3));
    await settled();
    await land(outage());
    expect(clock.pending).toHaveLength(1);
    commits.add(transition(msft, 3));
    stop.abort(new Error('the service stops'));
    await settled();
    await land(outage());
    await land(outage());
    await commits.idle();
    expect(lost.map(([record]) => record)).toEqual(['AAPL3', 'MSFT3']);
  });

  test('continues when a callback throws, and writes nothing twice', async () => {
    const { options, calls, committed, lost, errors, land } = held();
    const broken = new Error('a listener broke');
    const commits = groupCommit({
      ...options,
      onCommitted(record) {
        options.onCommitted(record);
        throw broken;
      },
      onLost(record, error) {
        options.onLost(record, error);
        throw broken;
      },
    });
    commits.add(transition(aapl, 3));
    commits.add(transition(msft, 3));
    await settled();
    await land();
    commits.add(transition(msft, 4));
    await settled();
    await land(stale());
    commits.add(transition(aapl, 4));
    await settled();
    await land();
    await commits.idle();
    expect(calls).toEqual([['AAPL3', 'MSFT3'], ['MSFT4'], ['AAPL4']]);
    expect(committed).toEqual(['AAPL3', 'MSFT3', 'AAPL4']);
    expect(lost.map(([record]) => record)).toEqual(['MSFT4']);
    expect(errors).toEqual([broken, broken, broken, broken]);
  });

  test.each([1, 12])(
    'writes each job in order and each record once, whatever fails when, with %i jobs in step',
    async (size) => {
      const step = fc.oneof(
        fc.record({ add: fc.constantFrom(0, 1, 2) }),
        fc.record({ land: fc.constantFrom('ok', 'ok', 'outage') }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const claims = ['A', 'B', 'C'].map((name) =>
            Array.from({ length: size }, (_, n) => takenOf(`${name}${n}-`)),
          );
          const next = [3, 3, 3];
          const { options, committed, lost, clock, land } = held();
          const commits = groupCommit(options);
          const wake = async () => {
            await clock.advance(5000);
            await settled();
          };
          for (const one of steps) {
            if ('add' in one) {
              const sequence = next[one.add]!++;
              for (const claim of claims[one.add]!) commits.add(transition(claim, sequence));
            } else await land(one.land === 'outage' ? outage() : undefined).catch(() => {});
            await wake();
          }
          for (let left = 0; left < 45; left += 1) await land().catch(() => {});
          await commits.idle();
          expect(lost).toEqual([]);
          for (const [index, own] of claims.entries()) {
            for (const { claim } of own) {
              const written = committed.filter((name) => name.startsWith(claim.symbol));
              const expected = Array.from({ length: next[index]! - 3 }, (_, n) => `${claim.symbol}${n + 3}`);
              expect(written).toEqual(expected);
            }
          }
        }),
        { numRuns: Math.ceil(numRuns / 4), seed: 7 },
      );
    },
  );
});
