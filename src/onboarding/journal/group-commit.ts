import { type Claim, isUnfinished } from '../../../machines/protocol.ts';
import { endOfTurn } from '../../kernel/batching.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { type Entry, isRecord, type Ledger, type SnapshotProgress } from '../job/ports.ts';

export interface GroupCommitOptions {
  ledger: Ledger;
  clock: Clock;
  /** An entry is durable. */
  onCommitted: (entry: Entry, progress: SnapshotProgress | undefined) => void;
  /** An entry can never be written: another node has the job, or the database refuses it. */
  onLost: (entry: Entry, error: unknown) => void;
  log: (error: unknown) => void;
  /** Aborted when the process stops: from then on a database that does not answer is waited for no more. */
  signal: AbortSignal;
}

export interface GroupCommit {
  add(entry: Entry): void;
  /** Resolves when nothing is waiting to be written. */
  idle(): Promise<void>;
}

/** What became of an entry: told once the next batch has left. */
type Callback = () => void;

const batchMax = 200;
const effectsMax = 50; // symbols of a year of prices: about 2 MB in one statement
const pauseMs = 500;
const splitMinJobs = 16; // fewer jobs than this are better off in one batch than in two
const overtakeAfterMs = 50;
const inFlightMax = 4;

/**
 * Writes transitions and effects in batches: one in flight, no timer, whatever arrives meanwhile is the next one. That
 * one leaves before anybody hears of the first, so that the database works on it while this process goes on with what
 * has landed. Where many jobs move in step, half of them go first, for the same reason.
 *
 * A batch that a lock holds up is overtaken, by entries of other jobs only, and by those that begin a job only where
 * their permit cannot come from one that ends, or backs off, in that very batch.
 *
 * A database that does not answer is waited for, for ever: the jobs stand still and lose no attempt. A batch in
 * which one job was taken over is split job by job, so that the others are written. Once a record of a claim is
 * lost, those behind it are lost too: the journal has no gaps.
 */
export function groupCommit(options: GroupCommitOptions): GroupCommit {
  const { ledger, clock, onCommitted, onLost, log, signal } = options;
  let waiting: Entry[] = [];
  const lost = new WeakSet<Claim>();
  const inFlight = new Map<readonly Entry[], number>(); // since when
  const writing = new Set<Promise<void>>(); // until everybody was told
  let starting: Promise<void> | null = null;
  let overtaking = false;

  const schedule = () => {
    if (waiting.length === 0) return;
    if (inFlight.size === 0) starting ??= start();
    else if (!overtaking && !signal.aborted) void overtake();
  };
  const start = async () => {
    // What a commit sets free asks for its next transition within the same turn of the event loop. Without this wait the
    // first of them flew alone and the others a whole commit later: 600 jobs took 2,214 commits at concurrency 3, not 1,200.
    await endOfTurn();
    starting = null;
    if (inFlight.size === 0) send(firstHalf(waiting));
  };
  const overtake = async () => {
    overtaking = true;
    await clock.sleepUntil(clock.now() + overtakeAfterMs, signal).catch(() => {});
    overtaking = false;
    const isHeldUp = [...inFlight.values()].every((since) => clock.now() - since >= overtakeAfterMs);
    if (inFlight.size === 0 || !isHeldUp) return schedule();
    const entriesInFlight = [...inFlight.keys()].flat();
    if (inFlight.size < inFlightMax)
      send(independentOf(waiting, new Set(entriesInFlight.map(jobOf)), entriesInFlight.some(releasesPermit)));
  };
  const send = (entries: readonly Entry[]): boolean => {
    if (entries.length === 0) return false;
    const batch = entries.slice(0, entries.some(({ effect }) => effect) ? effectsMax : batchMax);
    const taken = new Set(batch);
    waiting = waiting.filter((entry) => !taken.has(entry));
    inFlight.set(batch, clock.now());
    const done = commitBatch(batch).finally(() => writing.delete(done));
    writing.add(done);
    return true;
  };
  const commitBatch = async (batch: readonly Entry[]) => {
    const callbacks = await write(batch);
    inFlight.delete(batch);
    if (inFlight.size === 0 && send(waiting)) await endOfTurn(); // by then its statement has left
    callbacks.forEach(notify);
    schedule();
  };

  // Whoever is told may fail; what was written stays written, and the others are told all the same.
  const notify = (callback: Callback) => {
    try {
      callback();
    } catch (error) {
      log(error);
    }
  };
  const lose = (entry: Entry, error: unknown): Callback => {
    if (isRecord(entry)) lost.add(entry.claim);
    return () => onLost(entry, error);
  };

  const write = async (batch: readonly Entry[]): Promise<Callback[]> => {
    const afterLost = batch
      .filter(({ claim }) => lost.has(claim))
      .map((entry) => lose(entry, earlierTransitionLost()));
    const writable = batch.filter(({ claim }) => !lost.has(claim));
    return writable.length > 0 ? [...afterLost, ...(await writeUntilAnswered(writable))] : afterLost;
  };
  const writeUntilAnswered = async (batch: readonly Entry[]): Promise<Callback[]> => {
    for (;;) {
      try {
        const progress = await ledger.commit(batch);
        return batch.map((entry, index) => () => onCommitted(entry, progress[index]));
      } catch (error) {
        if (error instanceof AppError && error.retryable && !signal.aborted) {
          log(error);
          await clock.sleepUntil(Math.max(error.retryAt ?? 0, clock.now() + pauseMs), signal).catch(() => {});
          continue;
        }
        if (batch.length === 1) return [lose(batch[0]!, error)];
        return writeParts(batch);
      }
    }
  };
  const writeParts = async (batch: readonly Entry[]): Promise<Callback[]> => {
    const parts = partsOf(batch);
    const callbacks: Callback[] = [];
    for (const part of parts.length > 1 ? parts : batch.map((entry) => [entry]))
      callbacks.push(...(await write(part)));
    return callbacks;
  };

  return {
    add(entry) {
      waiting.push(entry);
      schedule();
    },
    async idle() {
      while (starting || writing.size > 0) await (starting ?? Promise.race(writing));
    },
  };
}

/** What each job has to write; apart, behind whatever came before, what it does under a permit that it got meanwhile. */
function partsOf(entries: readonly Entry[]): Entry[][] {
  const begun = new Map<Claim, Entry>();
  const partOf = (entry: Entry): Claim | Entry => {
    if (startsUnderPermit(entry)) begun.set(entry.claim, entry);
    return begun.get(entry.claim) ?? entry.claim;
  };
  return [...Map.groupBy(entries, partOf).values()];
}

/** The entries of half of the jobs, or all of few. What one job has to write stays together. */
function firstHalf(entries: readonly Entry[]): readonly Entry[] {
  const jobs = [...new Set(entries.map(jobOf))];
  return jobs.length < splitMinJobs
    ? entries
    : independentOf(entries, new Set(jobs.slice(Math.ceil(jobs.length / 2))));
}

/** The entries that depend on none of those jobs: neither of one of them, nor under a permit that one gives back. */
function independentOf(
  entries: readonly Entry[],
  staying: Set<string>,
  isPermitOpen = false,
): readonly Entry[] {
  return entries.filter((entry) => {
    if (!staying.has(jobOf(entry)) && !(isPermitOpen && startsUnderPermit(entry))) return true;
    staying.add(jobOf(entry));
    isPermitOpen ||= releasesPermit(entry);
    return false;
  });
}

const jobOf = ({ claim }: Entry): string => claim.jobId;

/** A job's first transition under a permit; and the last one. */
const startsUnderPermit = (entry: Entry): boolean => isRecord(entry) && entry.event === 'permit.granted';
const releasesPermit = (entry: Entry): boolean =>
  isRecord(entry) && (!isUnfinished(entry.job.status) || entry.to.endsWith('.backingOff'));

const earlierTransitionLost = () =>
  new AppError('claim_lost', 'An earlier transition of this job could not be written.');
