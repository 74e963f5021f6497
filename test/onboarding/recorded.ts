import type { Claim } from '../../machines/protocol.ts';
import { type JournalEntry, replay } from '../../machines/replay.ts';
import { isRecord, type TakenClaim, type TransitionRecord } from '../../src/onboarding/job/ports.ts';
import { createRecorder } from '../../src/onboarding/journal/recorder.ts';
import { claimOf, limits, liveSupervisor, progressFrom, settled } from '../machines/harness.ts';
import { TestClock } from '../support/clock.ts';

/** A recorder over a journal that the test lets commit, with the real supervisor and jobs whose phases are held. */
export function recorded({ concurrency = 2, isOpen = true } = {}) {
  const clock = new TestClock();
  const committed: TransitionRecord[] = [];
  const ends: Claim[] = [];
  const lost: Claim[] = [];
  const errors: unknown[] = [];
  const stop = new AbortController();
  let gate = Promise.withResolvers<void>();
  let refusal: unknown = null;
  let isRefused = (_records: readonly TransitionRecord[]) => true;
  if (isOpen) gate.resolve();
  const recorder = createRecorder({
    ledger: {
      async commit(entries) {
        const records = entries.filter(isRecord);
        await gate.promise;
        if (refusal && isRefused(records)) throw refusal;
        committed.push(...records);
        return [];
      },
    },
    clock,
    onEnded: (claim) => live.send({ type: 'job.ended', ...claim }),
    onSettled(claim) {
      ends.push(claim);
      live.send({ type: 'job.settled', ...claim });
    },
    onLost(claim) {
      lost.push(claim);
      live.send({ type: 'claim.lost', ...claim });
    },
    log: (error) => errors.push(error),
    signal: stop.signal,
  });
  const live = liveSupervisor({ concurrency }, { inspect: (event) => recorder.inspect(event) });
  return {
    recorder,
    live,
    clock,
    committed,
    ends,
    lost,
    errors,
    stop,
    async take(
      symbol: string,
      changes: Parameters<typeof progressFrom>[0] = {},
      epoch = 1,
      state = 'pending',
    ) {
      const progress = progressFrom(changes);
      const claim: Claim = { jobId: `job-${symbol}`, symbol, reason: 'upload', epoch };
      const taken: TakenClaim = { claim, entry: { id: symbol, retryCount: 0 }, progress, sequence: 2, state };
      recorder.begin(taken);
      live.take(symbol, changes, epoch);
      await settled();
      return taken;
    },
    close: () => {
      gate = Promise.withResolvers();
    },
    open: async () => {
      gate.resolve();
      await settled();
    },
    refuse: (error: unknown, which = isRefused) => {
      refusal = error;
      isRefused = which;
    },
    path: (symbol: string) => committed.filter(({ claim }) => claim.symbol === symbol).map(({ to }) => to),
  };
}

/** Breaks of the chain: sequence by sequence, state by state. */
export function breaks(
  records: readonly TransitionRecord[],
  from: { sequence: number; state: string },
): string[] {
  return records.flatMap(({ sequence, from: before, to }, index) => {
    const last = records[index - 1] ?? { sequence: from.sequence, to: from.state };
    return sequence === last.sequence + 1 && before === last.to
      ? []
      : [`${last.to} > ${sequence} ${before} > ${to}`];
  });
}

/** The journal of a claim that began with its job, run through the machine once more. */
export function replayed(symbol: string, records: readonly TransitionRecord[]) {
  const blank = { error: null, actorSnapshot: null, input: null };
  const spawned = { progress: progressFrom(), limits };
  const written = records.map(
    ({ sequence, from, to, event, job, trace, actorSnapshot }): JournalEntry =>
      structuredClone({
        ...blank,
        sequence,
        from,
        to,
        event,
        claimEpoch: 1,
        error: job.error,
        actorSnapshot,
        input: trace,
      }),
  );
  return replay(claimOf(symbol), [
    { ...blank, sequence: 1, from: null, to: 'pending', event: 'job.created', claimEpoch: 0 },
    {
      ...blank,
      sequence: 2,
      from: 'pending',
      to: 'pending',
      event: 'claimed',
      claimEpoch: 1,
      input: { spawned },
    },
    ...written,
  ]);
}
