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
  /** How many batches may be in flight at once, each of other jobs. */
  lanes?: number;
}

export interface GroupCommit {
  add(record: TransitionRecord): void;
  /** Resolves when nothing is waiting to be written. */
  idle(): Promise<void>;
}

const batchMax = 200;
const pauseMs = 500;
const shareMin = 8; // fewer than this are better off in one batch than in two

/**
 * Writes transitions in batches: one in flight, no timer, whatever arrives meanwhile is the next one. Where many jobs
 * move in step, a second lane halves them: the database works on the one half while this process works on the other.
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
  lanes = 1,
}: GroupCommitOptions): GroupCommit {
  let waiting: TransitionRecord[] = [];
  const broken = new WeakSet<Claim>();
  const flights = new Set<Promise<void>>();
  const flying = new Set<string>();
  let leaving: Promise<void> | null = null;

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

  const leave = async () => {
    await endOfTurn();
    leaving = null;
    for (let batch = next(); batch.length > 0; batch = next()) takeOff(batch);
  };
  // A job in flight waits for its landing: its transitions must not overtake one another.
  const next = (): TransitionRecord[] => {
    const free = waiting.filter(({ claim }) => !flying.has(claim.jobId));
    const others = flights.size > 0;
    if (flights.size >= lanes || (others && free.length < shareMin)) return [];
    const shared = !others && lanes > 1 && free.length >= 2 * shareMin;
    const batch = free.slice(0, Math.min(batchMax, shared ? Math.ceil(free.length / lanes) : free.length));
    const taken = new Set(batch);
    waiting = waiting.filter((record) => !taken.has(record));
    return batch;
  };
  const takeOff = (batch: TransitionRecord[]) => {
    const jobs = new Set(batch.map(({ claim }) => claim.jobId));
    for (const job of jobs) flying.add(job);
    const flight = fly(batch).finally(() => {
      flights.delete(flight);
      for (const job of jobs) flying.delete(job);
      leaving ??= leave();
    });
    flights.add(flight);
  };
  const fly = async (batch: TransitionRecord[]) => {
    const whole = batch.filter(({ claim }) => !broken.has(claim));
    for (const record of batch) if (broken.has(record.claim)) lose(record, behindLost());
    if (whole.length > 0) await write(whole);
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
      leaving ??= leave();
    },
    async idle() {
      while (leaving || flights.size > 0) await (leaving ?? Promise.race(flights));
    },
  };
}

// What a commit sets free asks for its next transition within the same turn of the event loop. Without this wait the
// first of them flew alone and the others a whole commit later: 600 jobs at concurrency 3 took 2,214 commits, now 1,200.
const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

const behindLost = () =>
  new AppError('claim_lost', 'An earlier transition of this job could not be written.');
