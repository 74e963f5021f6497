import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type ActorOptions,
  createActor,
  fromCallback,
  fromPromise,
  type InspectionEvent,
  SimulatedClock,
} from 'xstate';
import { type JobActor, type JobSnapshot, jobMachine, stateName } from '../../machines/job.ts';
import {
  type CeilingEvent,
  type Claim,
  type ClaimsEvent,
  type JobLimits,
  type JobProgress,
  jobLimitsSchema,
  type PhaseFailure,
  type PhaseInput,
  type PhaseOutput,
  type SupervisorEvent,
} from '../../machines/protocol.ts';
import { type SupervisorInput, supervisorMachine } from '../../machines/supervisor.ts';

/** How often a randomised suite tries: quick by default, long with SOAK set. The seed makes both repeatable. */
export const random = (short: number, long: number) => ({
  numRuns: process.env.SOAK ? long : short,
  seed: 20240229,
});

export const limits: JobLimits = jobLimitsSchema.parse({});
export const now = 1_700_000_000_000;

export const claimOf = (symbol: string, epoch = 1): Claim => ({
  jobId: `job-${symbol}`,
  symbol,
  reason: 'upload',
  epoch,
});

export const progressFrom = (changes: Partial<JobProgress> = {}): JobProgress => ({
  status: 'pending',
  phase: 'fetch',
  attempt: 1,
  retryAt: null,
  waitedMs: 0,
  partial: false,
  degraded: null,
  results: {},
  resumes: 0,
  ...changes,
});

export const transient: PhaseFailure = {
  code: 'provider_timeout',
  message: 'The provider did not answer in 10 s',
  retryable: true,
  at: now,
  jitter: 0.5,
};
export const permanent: PhaseFailure = {
  code: 'no_price_data',
  message: 'There are no prices for it',
  retryable: false,
  at: now,
  jitter: 0.5,
};
export const waitFor = (ms: number, code = 'provider_throttled'): PhaseFailure => ({
  ...transient,
  code,
  retryAt: now + ms,
});
/** Makes the action that keeps the results throw: an exception in the middle of a child. */
export const poison = {
  get results(): never {
    throw new Error('a mistake of ours');
  },
};

interface Pending {
  input: unknown;
  signal: AbortSignal;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

/** The actors of a job, held open until a test decides how they end. */
export function heldActors() {
  const phases = new Map<string, Pending>();
  const sleeps = new Map<string, Pending>();
  const started: PhaseInput[] = [];
  const aborted: string[] = [];
  const held = <T>(pending: Map<string, Pending>, key: string, input: unknown, signal: AbortSignal) =>
    new Promise<T>((resolve, reject) => {
      const entry: Pending = { input, signal, resolve: resolve as Pending['resolve'], reject };
      pending.set(key, entry);
      signal.addEventListener('abort', () => {
        if (pending === phases) aborted.push(key);
        if (pending.get(key) === entry) pending.delete(key);
      });
    });
  const phase = fromPromise<PhaseOutput, PhaseInput>(({ input, signal }) => {
    started.push(input);
    return held(phases, input.claim.symbol, input, signal);
  });
  const sleepUntil = fromPromise<void, { until: number }>(({ input, signal, self }) =>
    held(sleeps, self._parent?.id ?? '', input, signal),
  );
  const end = async (
    pending: Map<string, Pending>,
    key: string,
    how: 'resolve' | 'reject',
    value: unknown,
  ) => {
    const entry = pending.get(key);
    if (!entry) throw new Error(`nothing runs for ${key}`);
    pending.delete(key);
    entry[how](value);
    await settled();
  };
  return {
    job: jobMachine.provide({
      actors: { fetch: phase, factors: phase, universe: phase, snapshot: phase, cache: phase, sleepUntil },
    }),
    started,
    aborted,
    running: () => [...phases.keys()],
    sleeping: () => [...sleeps.keys()],
    wakeTime: (key: string) => (sleeps.get(key)?.input as { until: number } | undefined)?.until,
    finish: (key: string, output: PhaseOutput = { results: {} }) => end(phases, key, 'resolve', output),
    fail: (key: string, failure: unknown) => end(phases, key, 'reject', failure),
    wake: (key: string) => end(sleeps, key, 'resolve', undefined),
    breakSleep: (key: string) => end(sleeps, key, 'reject', new Error('the clock broke')),
  };
}

const live = new Set<{ stop(): unknown }>();
/** For `afterEach`: no actor outlives its test. */
export function stopAll(): void {
  for (const actor of live) actor.stop();
  live.clear();
}

/** Lets every promise that is ready run its reactions. */
export async function settled(): Promise<void> {
  // More than one: batches and claims leave at the end of a turn of the event loop, and what they bring follows.
  for (let turn = 0; turn < 4; turn += 1) await nextTurn();
}

/** A job on its own, without a supervisor: it has all permits that the test grants. */
export function liveJob(progress: JobProgress, limitsChanged: Partial<JobLimits> = {}) {
  const actors = heldActors();
  const actor = createActor(actors.job, {
    id: 'AAPL',
    input: { claim: claimOf('AAPL'), progress, limits: { ...limits, ...limitsChanged } },
  });
  const names: string[] = [];
  actor.subscribe((snapshot) => names.push(stateName(snapshot.value)));
  actor.start();
  live.add(actor);
  const context = () => actor.getSnapshot().context;
  return { actor, actors, names, context, name: () => stateName(actor.getSnapshot().value) };
}

const symbolsIn = (claims: readonly Claim[]) => claims.map(({ symbol }) => symbol).join(' ');

/** The actors of a supervisor that are no jobs. */
export const services = new Set(['claims', 'ceiling']);

/** A supervisor with live jobs, a simulated clock and a claims actor that the test speaks for. */
export function liveSupervisor(
  input: Partial<SupervisorInput> = {},
  options: { inspect?: (event: InspectionEvent) => void; jobs?: ReturnType<typeof heldActors>['job'] } = {},
) {
  const actors = heldActors();
  const told: ClaimsEvent[] = [];
  const needed: CeilingEvent[] = [];
  const errors: unknown[] = [];
  const clock = new SimulatedClock();
  let claims: (event: SupervisorEvent) => void = () => {};
  let breakClaims = () => {};
  let ceiling: (event: SupervisorEvent) => void = () => {};
  const ceilingActor = fromCallback<CeilingEvent>(({ sendBack, receive }) => {
    ceiling = sendBack as typeof ceiling;
    receive((event) => needed.push(event));
  });
  const claimsActor = fromCallback<ClaimsEvent>(({ sendBack, receive, self }) => {
    claims = sendBack as typeof claims;
    breakClaims = () =>
      self._parent?.send({ type: 'xstate.error.actor.claims', actorId: 'claims', error: 'broken' });
    receive((event) => told.push(event));
  });
  const supervisor = createActor(
    supervisorMachine.provide({
      actors: { job: options.jobs ?? actors.job, claims: claimsActor, ceiling: ceilingActor },
    }),
    {
      clock,
      input: { depth: 50, concurrency: 2, prefetch: 50, childrenMax: 200, ...input },
      ...(options.inspect ? { inspect: options.inspect } : {}),
    } as ActorOptions<typeof supervisorMachine> & { input: SupervisorInput },
  );
  supervisor.subscribe({ error: (error) => errors.push(error) });
  supervisor.start();
  live.add(supervisor);
  const child = (symbol: string) => supervisor.getSnapshot().children[symbol] as JobActor | undefined;
  return {
    supervisor,
    actors,
    clock,
    told,
    /** What the ceiling actor was told is needed, by symbol: `held | wanted`. */
    needed: () => needed.map(({ held, wanted }) => [held, wanted].map(symbolsIn).join(' | ')),
    wanted: () => needed.at(-1)?.wanted ?? [],
    grant: (claim: Claim) => ceiling({ type: 'ceiling.granted', ...claim } as SupervisorEvent),
    errors,
    child,
    send: (event: SupervisorEvent) => claims(event),
    breakClaims: () => breakClaims(),
    take: (symbol: string, changes: Partial<JobProgress> = {}, epoch = 1, jobLimits: JobLimits = limits) =>
      claims({
        type: 'claim.taken',
        claim: claimOf(symbol, epoch),
        progress: progressFrom(changes),
        limits: jobLimits,
      }),
    context: () => supervisor.getSnapshot().context,
    symbols: () => Object.keys(supervisor.getSnapshot().children).filter((id) => !services.has(id)),
    name: (symbol: string) => {
      const snapshot = child(symbol)?.getSnapshot() as JobSnapshot | undefined;
      return snapshot && stateName(snapshot.value);
    },
    rooms: () => told.flatMap((event) => (event.type === 'room.changed' ? [event.room] : [])),
  };
}
