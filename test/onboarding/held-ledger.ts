import { AppError } from '../../src/kernel/errors.ts';
import { type Entry, isRecord, type TakenClaim } from '../../src/onboarding/job/ports.ts';
import { jobTrace } from '../../src/onboarding/job/transition-trace.ts';
import { settled } from '../machines/harness.ts';
import { TestClock } from '../support/clock.ts';
import { recordOf } from './fixture.ts';

export const outage = (retryAt?: number) =>
  new AppError('database_unavailable', 'The database does not answer.', {
    retryable: true,
    ...(retryAt !== undefined && { retryAt }),
  });
export const stale = () => new AppError('claim_lost', 'Another node took this job over.');

export const transition = (taken: TakenClaim, sequence: number) =>
  recordOf(taken, 'processing.fetch.running', { sequence, event: `e${sequence}` });
export const effectOf = (taken: TakenClaim): Entry => ({
  claim: taken.claim,
  effect: { kind: 'snapshots', session: '2026-07-30' },
  notes: jobTrace(),
});
export const label = (entry: Entry) =>
  isRecord(entry) ? `${entry.claim.symbol}${entry.sequence}` : `${entry.claim.symbol} effect`;

/** A ledger whose commits end as the test decides. */
export function held(refuses: (batch: readonly Entry[]) => unknown = () => null) {
  const calls: string[][] = [];
  const flights: PromiseWithResolvers<void>[] = [];
  const committed: string[] = [];
  const lost: [string, unknown][] = [];
  const errors: unknown[] = [];
  const clock = new TestClock();
  const stop = new AbortController();
  const options = {
    ledger: {
      commit(batch: readonly Entry[]) {
        calls.push(batch.map(label));
        const refusal = refuses(batch);
        if (refusal) return Promise.reject(refusal);
        const flight = Promise.withResolvers<void>();
        flights.push(flight);
        return flight.promise.then(() => []);
      },
    },
    clock,
    onCommitted: (entry: Entry): void => void committed.push(label(entry)),
    onLost: (entry: Entry, error: unknown): void => void lost.push([label(entry), error]),
    log: (error: unknown) => errors.push(error),
    signal: stop.signal,
  };
  const land = async (error?: unknown) => {
    const flight = flights.shift();
    if (!flight) throw new Error('nothing is in flight');
    if (error) flight.reject(error);
    else flight.resolve();
    await settled();
  };
  return { options, calls, committed, lost, errors, clock, stop, land };
}
