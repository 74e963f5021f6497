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
 * which one job was taken over is split job by job, so that the others are written.
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
  let flight: Promise<void> | null = null;

  const fly = async () => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchMax);
      await write(batch);
    }
    flight = null;
  };

  const write = async (batch: TransitionRecord[]): Promise<void> => {
    for (;;) {
      try {
        await journal.commit(batch);
        for (const record of batch) onCommitted(record);
        return;
      } catch (error) {
        if (error instanceof AppError && error.retryable && !signal.aborted) {
          log(error);
          await clock.sleepUntil(Math.max(error.retryAt ?? 0, clock.now() + pauseMs), signal).catch(() => {});
          continue;
        }
        const jobs = Map.groupBy(batch, ({ claim }) => claim.jobId);
        if (jobs.size > 1) {
          for (const own of jobs.values()) await write(own);
        } else {
          for (const record of batch) onLost(record, error);
        }
        return;
      }
    }
  };

  return {
    add(record) {
      waiting.push(record);
      flight ??= Promise.resolve().then(fly);
    },
    async idle() {
      while (flight) await flight;
    },
  };
}
