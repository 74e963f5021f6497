import type { Claim } from '../../machines/protocol.ts';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Journal, TransitionRecord } from './ports.ts';

export interface GroupCommitOptions {
  journal: Journal;
  clock: Clock;
  /** A record is durable. */
  onCommitted: (record: TransitionRecord) => void;
  /** A record can never be written: another node has the job, or the journal refuses it. */
  onLost: (record: TransitionRecord, error: unknown) => void;
  log: (error: unknown) => void;
  /** Aborted when the process stops: from then on a database that does not answer is waited for no more. */
  signal: AbortSignal;
}

export interface GroupCommit {
  add(record: TransitionRecord): void;
  /** Resolves when nothing is waiting to be written. */
  idle(): Promise<void>;
}

const batchMax = 200;
const pauseMs = 500;

/**
 * Writes transitions in batches: one in flight, no timer, whatever arrives meanwhile is the next one.
 *
 * A database that does not answer is waited for, for ever: the jobs stand still and lose no attempt. A batch in
 * which one job was taken over is split job by job, so that the others are written. Once a record of a claim is
 * lost, those behind it are lost too: the journal has no gaps.
 */
export function groupCommit({
  journal,
  clock,
  onCommitted,
  onLost,
  log,
  signal,
}: GroupCommitOptions): GroupCommit {
  const waiting: TransitionRecord[] = [];
  const broken = new WeakSet<Claim>();
  let flight: Promise<void> | null = null;

  // Whoever is told may fail; what was written stays written, and the others are told all the same.
  const tell = (listener: () => void) => {
    try {
      listener();
    } catch (error) {
      log(error);
    }
  };
  const lose = (record: TransitionRecord, error: unknown) => {
    broken.add(record.claim);
    tell(() => onLost(record, error));
  };

  const fly = async () => {
    for (await endOfTurn(); waiting.length > 0; await endOfTurn()) {
      const batch = waiting.splice(0, batchMax);
      const whole = batch.filter(({ claim }) => !broken.has(claim));
      for (const record of batch) if (broken.has(record.claim)) lose(record, behindLost());
      if (whole.length > 0) await write(whole);
    }
    flight = null;
  };

  const write = async (batch: TransitionRecord[]): Promise<void> => {
    for (;;) {
      try {
        await journal.commit(batch);
        break;
      } catch (error) {
        if (error instanceof AppError && error.retryable && !signal.aborted) {
          log(error);
          await clock.sleepUntil(Math.max(error.retryAt ?? 0, clock.now() + pauseMs), signal).catch(() => {});
          continue;
        }
        const claims = Map.groupBy(batch, ({ claim }) => claim);
        if (claims.size > 1) {
          for (const own of claims.values()) await write(own);
        } else {
          for (const record of batch) lose(record, error);
        }
        return;
      }
    }
    for (const record of batch) tell(() => onCommitted(record));
  };

  return {
    add(record) {
      waiting.push(record);
      flight ??= fly();
    },
    async idle() {
      while (flight) await flight;
    },
  };
}

// What a commit sets free asks for its next transition within the same turn of the event loop. Without this wait the
// first of them flew alone and the others a whole commit later: 600 jobs at concurrency 3 took 2,214 commits, now 1,200.
const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

const behindLost = () =>
  new AppError('claim_lost', 'An earlier transition of this job could not be written.');
