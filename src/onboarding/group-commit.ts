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

/** What became of a record: told once the next batch has left. */
type Landed = () => void;

const batchMax = 200;
const pauseMs = 500;
const halvesMin = 16; // fewer than this are better off in one batch than in two

/**
 * Writes transitions in batches: one in flight, no timer, whatever arrives meanwhile is the next one. That one leaves
 * before anybody hears of the first, so that the database works on it while this process goes on with what has landed.
 * Where many jobs move in step, half of them go first, for the same reason.
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
  let running: Promise<void> | null = null;

  const run = async () => {
    await endOfTurn();
    let flight = takeOff(share());
    while (flight) {
      const landed = await flight;
      flight = takeOff(waiting.length);
      if (flight) await endOfTurn(); // by then its statement has left
      landed.forEach(tell);
      if (!flight) {
        await endOfTurn();
        flight = takeOff(share());
      }
    }
    running = null;
  };
  const share = () => (waiting.length < halvesMin ? waiting.length : Math.ceil(waiting.length / 2));
  const takeOff = (size: number): Promise<Landed[]> | null => {
    if (waiting.length === 0) return null;
    const batch = waiting.splice(0, Math.min(size, batchMax));
    const lost = batch.filter(({ claim }) => broken.has(claim));
    const whole = batch.filter(({ claim }) => !broken.has(claim));
    const behind = lost.map((record) => lose(record, behindLost()));
    return whole.length > 0 ? write(whole).then((landed) => [...behind, ...landed]) : Promise.resolve(behind);
  };

  // Whoever is told may fail; what was written stays written, and the others are told all the same.
  const tell = (landed: Landed) => {
    try {
      landed();
    } catch (error) {
      log(error);
    }
  };
  const lose = (record: TransitionRecord, error: unknown): Landed => {
    broken.add(record.claim);
    return () => onLost(record, error);
  };

  const write = async (batch: TransitionRecord[]): Promise<Landed[]> => {
    for (;;) {
      try {
        await journal.commit(batch);
        return batch.map((record) => () => onCommitted(record));
      } catch (error) {
        if (error instanceof AppError && error.retryable && !signal.aborted) {
          log(error);
          await clock.sleepUntil(Math.max(error.retryAt ?? 0, clock.now() + pauseMs), signal).catch(() => {});
          continue;
        }
        const claims = Map.groupBy(batch, ({ claim }) => claim);
        if (claims.size === 1) return batch.map((record) => lose(record, error));
        const landed: Landed[] = [];
        for (const own of claims.values()) landed.push(...(await write(own)));
        return landed;
      }
    }
  };

  return {
    add(record) {
      waiting.push(record);
      running ??= run();
    },
    async idle() {
      while (running) await running;
    },
  };
}

// What a commit sets free asks for its next transition within the same turn of the event loop. Without this wait the
// first of them flew alone and the others a whole commit later: 600 jobs at concurrency 3 took 2,214 commits, now 1,200.
const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

const behindLost = () =>
  new AppError('claim_lost', 'An earlier transition of this job could not be written.');
