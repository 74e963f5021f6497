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
type Landed = () => void;

const batchMax = 200;
const effectsMax = 50; // symbols of a year of prices: about 2 MB in one statement
const pauseMs = 500;
const halvesMin = 16; // fewer jobs than this are better off in one batch than in two
const patienceMs = 50;
const flightsMax = 4;

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
  const broken = new WeakSet<Claim>();
  const flights = new Map<readonly Entry[], number>(); // since when
  const landings = new Set<Promise<void>>(); // until everybody was told
  let departing: Promise<void> | null = null;
  let overtaking = false;

  const schedule = () => {
    if (waiting.length === 0) return;
    if (flights.size === 0) departing ??= depart();
    else if (!overtaking && !signal.aborted) void overtake();
  };
  const depart = async () => {
    // What a commit sets free asks for its next transition within the same turn of the event loop. Without this wait the
    // first of them flew alone and the others a whole commit later: 600 jobs took 2,214 commits at concurrency 3, not 1,200.
    await endOfTurn();
    departing = null;
    if (flights.size === 0) takeOff(firstHalf(waiting));
  };
  const overtake = async () => {
    overtaking = true;
    await clock.sleepUntil(clock.now() + patienceMs, signal).catch(() => {});
    overtaking = false;
    const isHeldUp = [...flights.values()].every((since) => clock.now() - since >= patienceMs);
    if (flights.size === 0 || !isHeldUp) return schedule();
    const flying = [...flights.keys()].flat();
    if (flights.size < flightsMax)
      takeOff(independentOf(waiting, new Set(flying.map(jobOf)), flying.some(givesPermitBack)));
  };
  const takeOff = (entries: readonly Entry[]): boolean => {
    if (entries.length === 0) return false;
    const batch = entries.slice(0, entries.some(({ effect }) => effect) ? effectsMax : batchMax);
    const taken = new Set(batch);
    waiting = waiting.filter((entry) => !taken.has(entry));
    flights.set(batch, clock.now());
    const flight = fly(batch).finally(() => landings.delete(flight));
    landings.add(flight);
    return true;
  };
  const fly = async (batch: readonly Entry[]) => {
    const landed = await write(batch);
    flights.delete(batch);
    if (flights.size === 0 && takeOff(waiting)) await endOfTurn(); // by then its statement has left
    landed.forEach(tell);
    schedule();
  };

  // Whoever is told may fail; what was written stays written, and the others are told all the same.
  const tell = (landed: Landed) => {
    try {
      landed();
    } catch (error) {
      log(error);
    }
  };
  const lose = (entry: Entry, error: unknown): Landed => {
    if (isRecord(entry)) broken.add(entry.claim);
    return () => onLost(entry, error);
  };

  const write = async (batch: readonly Entry[]): Promise<Landed[]> => {
    const behind = batch.filter(({ claim }) => broken.has(claim)).map((entry) => lose(entry, behindLost()));
    const whole = batch.filter(({ claim }) => !broken.has(claim));
    return whole.length > 0 ? [...behind, ...(await writeWhole(whole))] : behind;
  };
  const writeWhole = async (batch: readonly Entry[]): Promise<Landed[]> => {
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
  const writeParts = async (batch: readonly Entry[]): Promise<Landed[]> => {
    const parts = partsOf(batch);
    const landed: Landed[] = [];
    for (const part of parts.length > 1 ? parts : batch.map((entry) => [entry]))
      landed.push(...(await write(part)));
    return landed;
  };

  return {
    add(entry) {
      waiting.push(entry);
      schedule();
    },
    async idle() {
      while (departing || landings.size > 0) await (departing ?? Promise.race(landings));
    },
  };
}

/** What each job has to write; apart, behind whatever came before, what it does under a permit that it got meanwhile. */
function partsOf(entries: readonly Entry[]): Entry[][] {
  const begun = new Map<Claim, Entry>();
  const partOf = (entry: Entry): Claim | Entry => {
    if (begins(entry)) begun.set(entry.claim, entry);
    return begun.get(entry.claim) ?? entry.claim;
  };
  return [...Map.groupBy(entries, partOf).values()];
}

/** The entries of half of the jobs, or all of few. What one job has to write stays together. */
function firstHalf(entries: readonly Entry[]): readonly Entry[] {
  const jobs = [...new Set(entries.map(jobOf))];
  return jobs.length < halvesMin
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
    if (!staying.has(jobOf(entry)) && !(isPermitOpen && begins(entry))) return true;
    staying.add(jobOf(entry));
    isPermitOpen ||= givesPermitBack(entry);
    return false;
  });
}

const jobOf = ({ claim }: Entry): string => claim.jobId;

/** A job's first transition under a permit; and the last one. */
const begins = (entry: Entry): boolean => isRecord(entry) && entry.event === 'permit.granted';
const givesPermitBack = (entry: Entry): boolean =>
  isRecord(entry) && (!isUnfinished(entry.job.status) || entry.to.endsWith('.backingOff'));

const behindLost = () =>
  new AppError('claim_lost', 'An earlier transition of this job could not be written.');
