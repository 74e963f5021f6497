import type { ActorRefFrom, AnyActorRef, InspectionEvent } from 'xstate';
import {
  actorSnapshotOf,
  type JobSnapshot,
  type jobMachine,
  progressOf,
  stateName,
} from '../../../machines/job.ts';
import { type Claim, isUnfinished, type Phase } from '../../../machines/protocol.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import {
  type Effect,
  type Entry,
  isRecord,
  type Ledger,
  type SnapshotProgress,
  type TakenClaim,
  type TransitionRecord,
} from '../job/ports.ts';
import { inputOf, type JobTrace, jobTrace, type TransitionInput, traceOf } from '../job/transition-trace.ts';
import { crashedEvent, crashedJobOf, crashedRecordOf } from './crashed-job.ts';
import { groupCommit } from './group-commit.ts';

export interface Recorder {
  /** Hand this to `createActor(supervisor, { inspect })`. Never throws: an exception here would kill the actor. */
  inspect(event: InspectionEvent): void;
  /** Before the child of a claim is spawned. */
  begin(taken: TakenClaim): void;
  /** Resolves once every transition of the job so far is durable; rejects with `claim_lost`. */
  barrier(jobId: string): Promise<void>;
  /**
   * Commits an effect behind the transitions of the job so far, and in one transaction with those that are not durable
   * yet. Rejects with `claim_lost`, `job_cancelled`, or what the database has against it.
   */
  write(claim: Claim, effect: Effect): Promise<SnapshotProgress | undefined>;
  /** Has an effect committed with the transition that completes this phase; any other forgets it. */
  stage(claim: Claim, phase: Phase, effect: Effect): void;
  /** Where a job's phase notes what it does: kept with the transition that ends it. */
  trace(jobId: string): JobTrace;
  /** The claims whose end is not durable yet. */
  held(): TakenClaim[];
  /** Forgets a claim that was lost or given back. */
  forget(claim: Claim): void;
  /** The last transition that a job has made here, committed or not; ISO 8601 in `since`. */
  lastTransition(jobId: string): { sequence: number; since: string } | null;
  idle(): Promise<void>;
}

export interface RecorderOptions {
  ledger: Ledger;
  clock: Clock;
  /** A transition is durable. */
  onCommitted?: (record: TransitionRecord) => void;
  /** The end of a job is on its way: what is recorded from now on is committed with it or after it. */
  onEnded: (claim: Claim) => void;
  /** The end of a job is durable. */
  onSettled: (claim: Claim) => void;
  onLost: (claim: Claim) => void;
  log: (error: unknown) => void;
  signal: AbortSignal;
}

interface Held {
  taken: TakenClaim;
  sequence: number;
  state: string;
  since: number;
  trace: JobTrace;
  /** Settles with the last transition handed over. */
  written: Promise<unknown>;
  /** What the running phase leaves, should it be completed. */
  staged: { phase: Phase; effect: Effect } | null;
}

type Settling = PromiseWithResolvers<SnapshotProgress | undefined>;

interface Observed {
  previous: JobSnapshot | null;
  /** What moves the job now. */
  event: string | null;
  input: TransitionInput;
}

/** Writes down every transition of every job, in order, before anything follows from it. */
export function createRecorder({
  ledger,
  clock,
  onCommitted,
  onEnded,
  onSettled,
  onLost,
  log,
  signal,
}: RecorderOptions): Recorder {
  const claims = new Map<string, Held>();
  const settle = new Map<Entry, Settling>();
  const observed = new WeakMap<AnyActorRef, Observed>();

  const commits = groupCommit({
    ledger,
    clock,
    log,
    signal,
    onCommitted(entry, progress) {
      settle.get(entry)?.resolve(progress);
      settle.delete(entry);
      if (!isRecord(entry)) return;
      onCommitted?.(entry);
      if (isUnfinished(entry.job.status)) return;
      forget(entry.claim);
      onSettled(entry.claim);
    },
    onLost(record, error) {
      settle.get(record)?.reject(error);
      settle.delete(record);
      if (!isRecord(record)) return; // the phase that waits for it tells the machine
      if (!heldBy(record.claim)) return;
      // Its lease is kept alive no longer: should nobody have taken the job over, somebody will.
      forget(record.claim);
      log(error);
      onLost(record.claim);
      // What failed only because the process stops, whoever claims the job next makes up for.
      const isForNextClaim = error instanceof AppError && (error.retryable || error.code === 'claim_lost');
      if (!isForNextClaim && record.event !== crashedEvent) commits.add(crashedRecordOf(record));
    },
  });

  /** What is held under that very claim. */
  const heldBy = ({ jobId, epoch }: Claim): Held | undefined => {
    const held = claims.get(jobId);
    return held?.taken.claim.epoch === epoch ? held : undefined;
  };
  const commit = (entry: Entry): Settling['promise'] => {
    const done: Settling = Promise.withResolvers();
    done.promise.catch(() => {}); // whoever needs it awaits it
    settle.set(entry, done);
    commits.add(entry);
    return done.promise;
  };
  const requireHeld = (held: Held | undefined): Held => {
    if (!held) throw new AppError('claim_lost', 'This job was given back.');
    return held;
  };
  const forget = (claim: Claim) => {
    if (heldBy(claim)) claims.delete(claim.jobId);
  };

  const write = (
    held: Held,
    to: string,
    event: string,
    job: TransitionRecord['job'],
    actorSnapshot: unknown,
    input: TransitionInput = {},
  ) => {
    const now = clock.now();
    const record: TransitionRecord = {
      claim: held.taken.claim,
      entry: held.taken.entry,
      sequence: ++held.sequence,
      from: held.state,
      to,
      event,
      durationMs: Math.max(0, Math.round(now - held.since)),
      job,
      actorSnapshot,
      trace: traceOf({ ...input, ...held.trace.take() }),
      ...(held.staged &&
        event === `${held.staged.phase}.done` && { effect: held.staged.effect, notes: jobTrace() }),
    };
    held.staged = null;
    held.state = to;
    held.since = now;
    held.written = commit(record);
    if (!isUnfinished(job.status)) onEnded(held.taken.claim);
  };

  const onRest = (seen: Observed, event: string, snapshot: JobSnapshot) => {
    // Where a child begins is what the journal row of its claim says already.
    const moved = seen.previous !== null;
    const { input } = seen;
    Object.assign(seen, { previous: snapshot, event: null });
    const held = heldBy(snapshot.context.claim);
    const to = stateName(snapshot.value);
    if (!held || (to === held.state && !moved)) return;
    write(held, to, event, progressOf(snapshot), actorSnapshotOf(snapshot), input);
  };

  const onCrash = (seen: Observed, error: unknown) => {
    log(error);
    const held = seen.previous && claims.get(seen.previous.context.claim.jobId);
    if (!seen.previous || !held) return;
    write(held, 'failed', crashedEvent, crashedJobOf(progressOf(seen.previous)), null);
  };

  const watch = (ref: ActorRefFrom<typeof jobMachine>) => {
    const seen: Observed = { previous: null, event: null, input: {} };
    observed.set(ref, seen);
    ref.subscribe({
      error(error) {
        try {
          onCrash(seen, error);
        } catch (mistake) {
          log(mistake);
        }
      },
    });
  };

  return {
    inspect(event) {
      try {
        const ref = event.actorRef as ActorRefFrom<typeof jobMachine>;
        if (event.type === '@xstate.actor' && ref.src === 'job') watch(ref);
        if (event.type !== '@xstate.microstep') return;
        const seen = observed.get(ref);
        if (!seen || event._transitions.length === 0) return;
        // The first microstep of an event tells its name; the eventless ones behind it belong to it. What a transition
        // sends and starts comes after its last microstep: it is written down before anything follows from it.
        if (seen.event === null) {
          seen.event = eventName(event.event.type);
          seen.input = inputOf(event.event);
        }
        const snapshot = event.snapshot as JobSnapshot;
        if (!snapshot.hasTag('transient')) onRest(seen, seen.event, snapshot);
      } catch (error) {
        log(error);
      }
    },
    begin(taken) {
      const { sequence, state } = taken;
      const since = clock.now();
      claims.set(taken.claim.jobId, {
        taken,
        sequence,
        state,
        since,
        trace: jobTrace(),
        written: Promise.resolve(),
        staged: null,
      });
    },
    async barrier(jobId) {
      await requireHeld(claims.get(jobId)).written;
    },
    async write(claim, effect) {
      return commit({ claim, effect, notes: requireHeld(heldBy(claim)).trace });
    },
    stage(claim, phase, effect) {
      const held = heldBy(claim);
      if (held) held.staged = { phase, effect };
    },
    trace: (jobId) => claims.get(jobId)?.trace ?? jobTrace(),
    held: () => [...claims.values()].map(({ taken }) => taken),
    forget,
    lastTransition(jobId) {
      const held = claims.get(jobId);
      return held ? { sequence: held.sequence, since: new Date(held.since).toISOString() } : null;
    },
    idle: () => commits.idle(),
  };
}

/** `xstate.done.actor.fetch` is `fetch.done` in the journal: names that outlive the library. */
function eventName(type: string): string {
  const [, kind, actor] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? [];
  return actor ? `${actor}.${kind === 'done' ? 'done' : 'failed'}` : type;
}
