import { type ActorRefFrom, createActor, fromPromise, type SnapshotFrom, waitFor } from 'xstate';
import {
  type Claim,
  childrenMax,
  type Phase,
  type PhaseFailure,
  type PhaseInput,
  type PhaseOutput,
  phases,
} from '../../machines/protocol.ts';
import type { SupervisorInput, supervisorMachine } from '../../machines/supervisor.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { LoopHealth } from '../kernel/loop-health.ts';
import type { InFlight } from './job/phases-in-flight.ts';
import type { QueueEntry, TakenClaim } from './job/ports.ts';
import type { JobTrace } from './job/transition-trace.ts';
import type { Recorder } from './journal/recorder.ts';
import type { Commits, PhaseWork } from './phases.ts';

export interface ActorOptions {
  recorder: Pick<Recorder, 'barrier' | 'write' | 'stage' | 'trace'>;
  /** Runs a phase and records what it does in the trace. */
  traced: <T>(trace: JobTrace, run: () => Promise<T>) => Promise<T>;
  inFlight: InFlight;
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  /** The fence refused an effect: another node has the claim, or cancellation was requested. */
  onRefused: (claim: Claim, code: FenceCode) => void;
  /** A phase failed. The machine decides what happens next. */
  onFailure: (input: PhaseInput, failure: PhaseFailure, cause: unknown) => void;
}

export type FenceCode = 'claim_lost' | 'job_cancelled';
const isRefusal = (error: unknown): error is AppError & { code: FenceCode } =>
  error instanceof AppError && (error.code === 'claim_lost' || error.code === 'job_cancelled');

/** The promise actors behind the job machine's phases, and its sleep. */
export function jobActors(work: Record<Phase, PhaseWork>, options: ActorOptions) {
  const actors = phases.map((phase) => [phase, phaseActor(phase, work[phase], options)] as const);
  return {
    ...(Object.fromEntries(actors) as Record<Phase, ReturnType<typeof phaseActor>>),
    sleepUntil: fromPromise<void, { until: number }>(({ input, signal }) =>
      options.clock.sleepUntil(input.until, signal),
    ),
  };
}

// Write-ahead: a phase waits until the transition that started it is durable, or commits with it.
function phaseActor(phase: Phase, work: PhaseWork, options: ActorOptions) {
  const { recorder, traced, inFlight, clock, random, onRefused, onFailure } = options;
  return fromPromise<PhaseOutput, PhaseInput>(async ({ input, signal }) => {
    const { claim } = input;
    const commits: Commits = {
      durable: () => recorder.barrier(claim.jobId),
      write: (effect) => recorder.write(claim, effect),
      stage: (effect) => recorder.stage(claim, phase, effect),
    };
    const run = () => traced(recorder.trace(claim.jobId), () => work(input, signal, commits));
    try {
      return await inFlight.track(claim.symbol, run());
    } catch (error) {
      if (isRefusal(error)) {
        // Not a failure of the phase. The supervisor stops this child, which ends the pending promise.
        onRefused(input.claim, error.code);
        return new Promise(() => {});
      }
      const failure = failureOf(error, { at: clock.now(), jitter: random() });
      if (!signal.aborted) onFailure(input, failure, error);
      throw failure;
    }
  });
}

/** Converts an error for the machine. An unclassified error is a bug in the service and permanent. */
export function failureOf(error: unknown, { at, jitter }: { at: number; jitter: number }): PhaseFailure {
  if (!(error instanceof AppError)) {
    const message = 'An unexpected error stopped this job; the log has the details.';
    return { code: 'internal_error', message, retryable: false, at, jitter };
  }
  const { code, message, retryable, retryAt } = error;
  return { code, message, retryable, ...(retryAt !== undefined && { retryAt }), at, jitter };
}

export interface OnboardingOptions {
  /** The machine with its actors: claims, jobs, and the ceiling if there is one. */
  machine: typeof supervisorMachine;
  limits: Omit<SupervisorInput, 'childrenMax'>;
  recorder: Recorder;
  inFlight: InFlight;
  jobs: { release(claims: readonly TakenClaim[]): Promise<void> };
  /** Sends a heartbeat for leases; returns the lost ones. Null if no other node can take them. */
  touch: ((entries: readonly QueueEntry[]) => Promise<QueueEntry[]>) | null;
  /** The health of that loop. */
  leases: LoopHealth;
  /** Called when the grace period is over. From then on the recorder does not retry when the database does not answer. */
  stopWaiting: () => void;
  /** Called when the claims actor or the ceiling actor stopped. The supervisor then drains on its own. */
  onFault: (fault: string) => void;
  clock: Clock;
  log: (error: unknown) => void;
}

export interface RunningOnboarding {
  root: ActorRefFrom<typeof supervisorMachine>;
  snapshot(): SnapshotFrom<typeof supervisorMachine>;
  send: ReturnType<typeof createActor<typeof supervisorMachine>>['send'];
  /** Takes no more claims, lets running phases end within the grace period, and releases all unfinished claims. */
  drain(graceMs: number): Promise<void>;
}

const touchMs = 3000; // three chances within a lease of 10 s

/** Starts the supervisor of this node. */
export function startOnboarding(options: OnboardingOptions): RunningOnboarding {
  const { machine, limits, recorder, inFlight, jobs, touch, onFault, clock, log } = options;
  const supervisor = createActor(machine, {
    input: { ...limits, childrenMax },
    inspect: (event) => recorder.inspect(event),
  });
  supervisor.subscribe({
    error: (error) => onFault(error instanceof Error ? error.message : String(error)),
    complete: () => {
      const fault = supervisor.getSnapshot().output?.fault;
      if (fault) onFault(fault);
    },
  });
  supervisor.start();
  const stop = new AbortController();
  const handed = new WeakSet<Claim>();
  if (touch) {
    keepAlive({ ...options, touch }, stop.signal, (taken) => {
      supervisor.send({ type: 'claim.lost', ...taken.claim });
      recorder.forget(taken.claim);
    }).catch(() => {});
  }
  return {
    root: supervisor,
    snapshot: () => supervisor.getSnapshot(),
    send: (event) => supervisor.send(event),
    async drain(graceMs) {
      supervisor.send({ type: 'drain', graceMs });
      const handing: Promise<void>[] = [];
      const watching = supervisor.subscribe(({ context }) => {
        const idle = idleClaims(context.children);
        if (idle.length > 0) handing.push(handBack(idle).catch(log));
      });
      // Children without a permit were stopped immediately, so their claims are released now; others when they free theirs.
      handing.push(handBack(idleClaims(supervisor.getSnapshot().context.children)).catch(log));
      await waitFor(supervisor, ({ status }) => status !== 'active');
      watching.unsubscribe();
      options.stopWaiting();
      await Promise.all(handing);
      await inFlight.settled();
      await recorder.idle();
      stop.abort(new Error('drained'));
      await release(recorder.held());
    },
  };

  /** Claims without a child. Each claim is returned only once. */
  function idleClaims(children: readonly Claim[]): TakenClaim[] {
    const idle = recorder.held().filter(({ claim }) => !handed.has(claim) && !children.includes(claim));
    for (const { claim } of idle) handed.add(claim);
    return idle;
  }

  /** Releases claims when everything recorded of them is durable. A claim whose job has ended meanwhile is skipped. */
  async function handBack(idle: readonly TakenClaim[]): Promise<void> {
    await Promise.allSettled(idle.map(({ claim }) => recorder.barrier(claim.jobId)));
    await Promise.all(idle.map(({ claim }) => inFlight.settled(claim.symbol)));
    const held = recorder.held();
    await release(idle.filter((taken) => held.includes(taken)));
  }

  async function release(unfinished: readonly TakenClaim[]): Promise<void> {
    for (const { claim } of unfinished) recorder.forget(claim);
    if (unfinished.length > 0) await jobs.release(unfinished);
  }

  async function keepAlive(
    { touch, leases }: { touch: NonNullable<OnboardingOptions['touch']>; leases: LoopHealth },
    signal: AbortSignal,
    onLost: (taken: TakenClaim) => void,
  ): Promise<void> {
    for (;;) {
      await clock.sleepUntil(clock.now() + touchMs, signal);
      const held = recorder.held();
      await leases.round(async () => {
        const lost = new Set(await touch(held.map(({ entry }) => entry)));
        // Claims that ended or were replaced during the heartbeat are not lost.
        for (const taken of recorder.held()) if (lost.has(taken.entry)) onLost(taken);
      });
    }
  }
}
