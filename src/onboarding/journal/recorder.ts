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
  /** For `createActor(supervisor, { inspect })`. Never throws, because an exception here would stop the actor. */
  inspect(event: InspectionEvent): void;
  /** Starts recording a claim. Call it before its child is spawned. */
  begin(taken: TakenClaim): void;
  /** Resolves once every transition of the job so far is durable; rejects with `claim_lost`. */
  barrier(jobId: string): Promise<void>;
  /**
   * Commits an effect after all transitions of the job so far, in one transaction with those that are not durable yet.
   * Rejects with `claim_lost`, `job_cancelled` or the database's error.
   */
  write(claim: Claim, effect: Effect): Promise<SnapshotProgress | undefined>;
  /** Commits an effect together with the transition that completes this phase; any other transition discards it. */
  stage(claim: Claim, phase: Phase, effect: Effect): void;
  /** The trace of the job's running phase. It is stored with the transition that ends the phase. */
  trace(jobId: string): JobTrace;
  /** The claims whose end is not durable yet. */
  held(): TakenClaim[];
  /** Stops recording a claim that was lost or released. */
  forget(claim: Claim): void;
  /** The last transition of a job on this node, committed or not; `since` is ISO 8601. Null without a claim here. */
  lastTransition(jobId: string): { sequence: number; since: string } | null;
  idle(): Promise<void>;
}

export interface RecorderOptions {
  ledger: Ledger;
  clock: Clock;
  /** Called when a transition is durable. */
  onCommitted?: (record: TransitionRecord) => void;
  /** Called when the end of a job is queued for commit. Everything recorded later commits with it or after it. */
  onEnded: (claim: Claim) => void;
  /** Called when the end of a job is durable. */
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
  /** Settles with the last queued transition. */
  written: Promise<unknown>;
  /** The effect to commit when the running phase completes. */
  staged: { phase: Phase; effect: Effect } | null;
}

type Settling = PromiseWithResolvers<SnapshotProgress | undefined>;

interface Observed {
  previous: JobSnapshot | null;
  /** The event that the job handles now; null between events. */
  event: string | null;
  input: TransitionInput;
}

/** Write-ahead log of the job actors: records every transition of every job, in order, before its effects are visible. */
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
      if (!isRecord(record)) return; // the waiting phase rejects and so notifies the machine
      if (!heldBy(record.claim)) return;
      // Without a heartbeat the lease expires, and another node claims the job unless one already has.
      forget(record.claim);
      log(error);
      onLost(record.claim);
      // If it failed because the process stops or the claim is lost, the next claim of the job redoes the work.
      const isForNextClaim = error instanceof AppError && (error.retryable || error.code === 'claim_lost');
      if (!isForNextClaim && record.event !== crashedEvent) commits.add(crashedRecordOf(record));
    },
  });

  /** The state of exactly this claim, not of a newer one for the same job. */
  const heldBy = ({ jobId, epoch }: Claim): Held | undefined => {
    const held = claims.get(jobId);
    return held?.taken.claim.epoch === epoch ? held : undefined;
  };
  const commit = (entry: Entry): Settling['promise'] => {
    const done: Settling = Promise.withResolvers();
    done.promise.catch(() => {}); // no unhandled rejection if no caller awaits it
    settle.set(entry, done);
    commits.add(entry);
    return done.promise;
  };
  const requireHeld = (held: Held | undefined): Held => {
    if (!held) throw new AppError('claim_lost', 'This node no longer holds a claim of this job.');
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
    // The journal row of the claim already shows the state in which a child starts.
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
        // The first microstep has the name of the event; the eventless microsteps after it belong to the same event.
        // XState runs the actions of a transition after its last microstep, so the transition is recorded before them.
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

/** `xstate.done.actor.fetch` becomes `fetch.done`, so that journal names do not depend on the library. */
function eventName(type: string): string {
  const [, kind, actor] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? [];
  return actor ? `${actor}.${kind === 'done' ? 'done' : 'failed'}` : type;
}
