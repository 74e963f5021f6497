import { type ActorRefFrom, initialTransition, type SnapshotFrom, transition } from 'xstate';
import { jobSetup } from './job-setup.ts';
import { contextOf, type JobContext, phaseInputOf, progressOf, stateName } from './progress.ts';
import type { JobLimits, JobProgress, JobStatus, Phase } from './protocol.ts';

export { type ActorSnapshot, actorSnapshotOf } from './actor-snapshot.ts';
export { isAtRest, type JobContext, type JobState, progressOf, stateName, statusOf } from './progress.ts';

/*
 * One onboarding of one symbol. The supervisor spawns such an actor per claimed job, with the progress from the job's
 * row. The service provides the phases and the sleep; each failure event carries its time. Names: `job-setup.ts`.
 *
 * route is the transient initial state. It leads to `failed` if the job was taken over more often in a row than
 * `resumeLimit` allows, to `pending` if its row is pending, and otherwise to the phase that the job had reached.
 *
 * pending requests a permit from the supervisor. `permit.granted` starts the phase in `context.phase`: `fetch` for a
 * new job, the failed phase for a retried one.
 *
 * processing holds the five phases: fetch, factors, universe, snapshot, cache. Each has the same states:
 *
 *   enter is transient. It is used when the job does not come from the previous phase, and leads to backingOff if the
 *   row has a `retryAt`, to running if the job has just got its permit, and otherwise to waiting.
 *
 *   waiting requests a permit. `permit.granted` starts the phase.
 *
 *   running holds a permit and invokes the phase. When the phase is done, its results are kept and the next phase
 *   starts with the same permit. When it fails, `verdict.ts` decides between backingOff and `failed`. The factors phase
 *   can also run once more, degraded: it stores defaults, so that a failed calculation never fails a job. Every exit
 *   aborts the phase's signal.
 *
 *   backingOff releases the permit, so that another symbol can run, and sleeps until `retryAt`.
 *
 * completed, failed and cancelled are resting states, not final ones: the child stays until the recorder has committed
 * its end and notified the supervisor, which stops it. After `job.retry` a failed job continues with the failed phase,
 * and a partially completed job measures its factors again. A cancelled job stays cancelled: another onboarding of the
 * symbol is a new job.
 *
 * `job.cancel` cancels a job in any state before the snapshot phase. From then on the symbol is in the universe and
 * portfolios are valued with it, so the event is ignored.
 */
export const jobMachine = jobSetup.createMachine({
  id: 'job',
  context: ({ input }) => contextOf(input),
  initial: 'route',
  states: {
    route: {
      tags: 'transient',
      always: [
        { guard: 'isResumedTooOften', target: 'failed', actions: 'failResumed' },
        { guard: 'isPending', target: 'pending' },
        { target: 'processing' },
      ],
    },
    pending: {
      entry: 'requestPermit',
      on: { 'permit.granted': { target: 'processing', actions: 'takePermit' }, 'job.cancel': 'cancelled' },
    },
    processing: {
      initial: 'route',
      states: {
        route: {
          tags: 'transient',
          always: [
            { guard: { type: 'isAtPhase', params: { phase: 'factors' } }, target: 'factors' },
            { guard: { type: 'isAtPhase', params: { phase: 'universe' } }, target: 'universe' },
            { guard: { type: 'isAtPhase', params: { phase: 'snapshot' } }, target: 'snapshot' },
            { guard: { type: 'isAtPhase', params: { phase: 'cache' } }, target: 'cache' },
            { target: 'fetch' },
          ],
        },
        fetch: phase('fetch', '#job.processing.factors.running', { cancellable: true }),
        factors: phase('factors', '#job.processing.universe.running', { cancellable: true, degrades: true }),
        universe: phase('universe', '#job.processing.snapshot.running', { cancellable: true }),
        snapshot: phase('snapshot', '#job.processing.cache.running'),
        cache: phase('cache', '#job.completed'),
      },
    },
    completed: {
      exit: 'releasePermit',
      on: { 'job.retry': { guard: 'isPartial', target: 'pending', actions: 'restartFactors' } },
    },
    failed: {
      entry: 'forgetRetry',
      exit: 'releasePermit',
      on: { 'job.retry': { target: 'pending', actions: 'restartPhase' } },
    },
    cancelled: { entry: ['forgetRetry', 'forgetError'] },
  },
  options: { maxIterations: 100 },
});

/**
 * One of the five phases; `next` is the target once it is done. `as const` keeps literal types, so that the compiler
 * rejects unknown states, guards and actors.
 */
function phase<const Name extends Phase>(
  name: Name,
  next: `#job.processing.${Phase}.running` | '#job.completed',
  { cancellable = false, degrades = false } = {},
) {
  return {
    initial: 'enter',
    on: cancellable ? { 'job.cancel': '#job.cancelled' } : {},
    states: {
      enter: {
        tags: 'transient',
        always: [
          { guard: 'isBackingOff', target: 'backingOff' },
          { guard: 'holdsPermit', target: 'running' },
          { target: 'waiting' },
        ],
      },
      waiting: {
        entry: 'requestPermit',
        on: { 'permit.granted': { target: 'running', actions: 'takePermit' } },
      },
      running: {
        invoke: {
          id: name,
          src: name,
          input: ({ context }: { context: JobContext }) => phaseInputOf(context),
          onDone: { target: next, actions: 'completePhase' },
          onError: [
            { guard: 'canRetry', target: 'backingOff', actions: 'scheduleRetry' },
            ...(degrades
              ? [{ guard: 'canDegrade', target: 'running', reenter: true, actions: 'degrade' } as const]
              : []),
            { target: '#job.failed', actions: 'fail' },
          ],
        },
      },
      backingOff: {
        entry: 'releasePermit',
        invoke: {
          id: 'sleepUntil',
          src: 'sleepUntil',
          input: ({ context }: { context: JobContext }) => ({ until: context.retryAt ?? 0 }),
          onDone: { target: 'waiting', actions: 'forgetRetry' },
          onError: { target: '#job.failed', actions: 'fail' },
        },
      },
    },
  } as const;
}

export type JobActor = ActorRefFrom<typeof jobMachine>;
export type JobSnapshot = SnapshotFrom<typeof jobMachine>;

/** The first stable state of a child with that progress. The journal records it before the child is spawned. */
export function initialStateName(progress: JobProgress, limits: JobLimits): string {
  const { claim } = contextOf(undefined);
  return stateName(initialTransition(jobMachine, { claim, progress, limits })[0].value);
}

/** The progress with which a retry of that job starts, or null if the machine does not accept a retry. */
export function retryOf(row: Omit<JobProgress, 'status'> & { status: JobStatus }): JobProgress | null {
  const rest = jobMachine.resolveState({ value: row.status, context: { ...contextOf(undefined), ...row } });
  const retry = { type: 'job.retry' } as const;
  if (!rest.can(retry)) return null;
  const { outcome: _outcome, error: _error, ...next } = progressOf(transition(jobMachine, rest, retry)[0]);
  return { ...next, status: 'pending' };
}
