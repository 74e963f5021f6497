import { type Claim, isUnfinished } from '../../../machines/protocol.ts';
import { endOfTurn } from '../../kernel/batching.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { type Entry, isRecord, type Ledger, type SnapshotProgress } from '../job/ports.ts';

export interface GroupCommitOptions {
  ledger: Ledger;
  clock: Clock;
  /** Called when an entry is durable. */
  onCommitted: (entry: Entry, progress: SnapshotProgress | undefined) => void;
  /** Called when an entry can never be written: another node has the job, or the database rejects it. */
  onLost: (entry: Entry, error: unknown) => void;
  log: (error: unknown) => void;
  /** Aborted when the process stops. From then on a failed commit is not retried. */
  signal: AbortSignal;
}

export interface GroupCommit {
  add(entry: Entry): void;
  /** Resolves when nothing is waiting to be written. */
  idle(): Promise<void>;
}

/** Reports the result of one entry. Called after the next batch was sent. */
type Callback = () => void;

const batchMax = 200;
const effectsMax = 50; // symbols of a year of prices: about 2 MB in one statement
const pauseMs = 500;
const splitMinJobs = 16; // fewer jobs than this are better off in one batch than in two
const overtakeAfterMs = 50;
const inFlightMax = 4;

/**
 * Group commit for transitions and effects: one batch in flight, no timer; entries that arrive meanwhile form the next
 * batch. The next batch is sent before the callbacks of the previous one run, so the database works on it while this
 * process handles the results. When many jobs move in step, the first batch takes only half of the jobs, so that the
 * two halves alternate: one is in the database while this process works on the other.
 *
 * When a lock blocks a batch, later entries overtake it instead of waiting (no head-of-line blocking). Only entries of
 * other jobs may overtake. An entry that starts a job under a new permit may overtake only if no entry in flight
 * releases a permit: its permit could be that one, and the journal would show more running jobs than permits.
 *
 * When the database does not answer, the commit is retried forever: the jobs stand still and use up no attempt. When
 * another node took over one job of a batch, the batch is split job by job, so that the other jobs are written. When
 * one record of a claim is lost, all later ones of that claim are lost too, because the journal has no gaps.
 */
export function groupCommit(options: GroupCommitOptions): GroupCommit {
  const { ledger, clock, onCommitted, onLost, log, signal } = options;
  let waiting: Entry[] = [];
  const lost = new WeakSet<Claim>();
  const inFlight = new Map<readonly Entry[], number>(); // sent at, in epoch milliseconds
  const writing = new Set<Promise<void>>(); // batches whose callbacks have not all run
  let starting: Promise<void> | null = null;
  let overtaking = false;

  const schedule = () => {
    if (waiting.length === 0) return;
    if (inFlight.size === 0) starting ??= start();
    else if (!overtaking && !signal.aborted) void overtake();
  };
  const start = async () => {
    // The jobs that a commit unblocks request their next transitions within one turn of the event loop. Without this
    // wait the first one got a batch of its own and the others waited for another commit: 600 jobs at concurrency 3 took
    // 2,214 commits instead of 1,200.
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
    if (inFlight.size === 0 && send(waiting)) await endOfTurn(); // sends its statement before the callbacks run
    callbacks.forEach(notify);
    schedule();
  };

  // A callback that throws changes nothing for the others: the batch is committed.
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

/** Splits a batch by job. Entries after a `permit.granted` form their own part, in order after those before it. */
function partsOf(entries: readonly Entry[]): Entry[][] {
  const begun = new Map<Claim, Entry>();
  const partOf = (entry: Entry): Claim | Entry => {
    if (startsUnderPermit(entry)) begun.set(entry.claim, entry);
    return begun.get(entry.claim) ?? entry.claim;
  };
  return [...Map.groupBy(entries, partOf).values()];
}

/** The entries of half of the jobs, or all entries if there are few jobs. All entries of a job stay together. */
function firstHalf(entries: readonly Entry[]): readonly Entry[] {
  const jobs = [...new Set(entries.map(jobOf))];
  return jobs.length < splitMinJobs
    ? entries
    : independentOf(entries, new Set(jobs.slice(Math.ceil(jobs.length / 2))));
}

/**
 * The entries that depend on no job in `staying`: they belong to another job, and do not start under a permit that an
 * earlier entry releases.
 */
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

/** Whether this transition starts a job under a new permit. */
const startsUnderPermit = (entry: Entry): boolean => isRecord(entry) && entry.event === 'permit.granted';

/** Whether this transition releases the permit: the job ends or backs off. */
const releasesPermit = (entry: Entry): boolean =>
  isRecord(entry) && (!isUnfinished(entry.job.status) || entry.to.endsWith('.backingOff'));

const earlierTransitionLost = () =>
  new AppError('claim_lost', 'An earlier transition of this job was not written.');
