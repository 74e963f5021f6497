import { type ActorRefFrom, initialTransition, type SnapshotFrom, transition } from 'xstate';
import { jobSetup } from './job-setup.ts';
import { contextOf, type JobContext, phaseInputOf, progressOf, stateName } from './progress.ts';
import type { JobLimits, JobProgress, JobStatus, Phase } from './protocol.ts';

export { type ActorSnapshot, actorSnapshotOf } from './actor-snapshot.ts';
export { isAtRest, type JobContext, type JobState, progressOf, stateName, statusOf } from './progress.ts';

/*
 * The onboarding of one symbol, once. The supervisor spawns one such actor per claimed job, with the progress that
 * its row tells; the service provides phases and sleep, and failures bring the time along. Names: `job-setup.ts`.
 *
 * route, never seen from outside, is where a child enters: `failed` if it was taken over more often in a row than
 * `resumeLimit` allows, `pending` if its row is pending, else straight to the phase that it had reached.
 *
 * pending asks the supervisor for a permit. `permit.granted` starts the phase in `context.phase`, which is `fetch`
 * for a new job and the failed phase for a retried one.
 *
 * processing holds the five phases: fetch, factors, universe, snapshot, cache. They are alike:
 *
 *   enter, never seen from outside, is for those that come from elsewhere: backingOff if the row says until when;
 *   running if this job has just been granted its permit; else waiting.
 *
 *   waiting asks for a permit. `permit.granted` starts the phase.
 *
 *   running holds a permit and invokes the phase. Done: the results are kept, the next phase starts under the same
 *   permit. Failed: `verdict.ts` decides between backingOff and `failed`; factors know a third way, to run once
 *   more degraded, storing defaults, so that a calculation never fails a job. Any exit aborts the phase's signal.
 *
 *   backingOff gives the permit back, so that another symbol runs meanwhile, and sleeps until `retryAt`.
 *
 * completed, failed and cancelled are rest, not final states: the child stays until the recorder has committed its
 * end and tells the supervisor, which stops it. After `job.retry` a failed job goes on at the failed phase and a
 * partially completed one measures its factors anew; a cancelled one stays cancelled: a new need makes a new job.
 *
 * `job.cancel` ends whatever comes before the snapshot phase. Later the symbol is in the universe and portfolios
 * are valued with it: too late, the event is ignored.
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
 * One of the five phases; `next` is where it leads once it is done. `as const` keeps the names literal types, so that
 * the compiler still refuses a state, guard or actor that does not exist.
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

/** The state in which a child spawned with that progress settles first: what the journal says before it exists. */
export function initialStateName(progress: JobProgress, limits: JobLimits): string {
  const { claim } = contextOf(undefined);
  return stateName(initialTransition(jobMachine, { claim, progress, limits })[0].value);
}

/** The progress with which a retry of that job begins, or null where the machine accepts none. */
export function retryOf(row: Omit<JobProgress, 'status'> & { status: JobStatus }): JobProgress | null {
  const rest = jobMachine.resolveState({ value: row.status, context: { ...contextOf(undefined), ...row } });
  const retry = { type: 'job.retry' } as const;
  if (!rest.can(retry)) return null;
  const { outcome: _outcome, error: _error, ...next } = progressOf(transition(jobMachine, rest, retry)[0]);
  return { ...next, status: 'pending' };
}
