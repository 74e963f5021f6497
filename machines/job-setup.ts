import { assign, enqueueActions, fromPromise, setup } from 'xstate';
import { afterPhase, isResumedTooOften, type JobContext, retryFrom } from './progress.ts';
import type { JobEvent, JobInput, Phase, PhaseInput, PhaseOutput, SupervisorEvent } from './protocol.ts';
import { verdictOn } from './verdict.ts';

/** The results of a job's own actors. */
type Answer =
  | { type: `xstate.done.actor.${Phase}`; output: PhaseOutput }
  | { type: 'xstate.done.actor.sleepUntil' }
  | { type: `xstate.error.actor.${Phase | 'sleepUntil'}`; error: unknown };

const phaseActor = fromPromise<PhaseOutput, PhaseInput>(async () => {
  throw new Error('No phase actor was provided. The service provides it in src/app.ts.');
});
const sleepActor = fromPromise<void, { until: number }>(async () => {
  throw new Error('No sleepUntil actor was provided. The service provides it in src/app.ts.');
});

const verdict = (context: JobContext, event: JobEvent | Answer) =>
  verdictOn(context, 'error' in event ? event.error : undefined);

/** The sender of a message to the supervisor. */
const address = ({ claim: { jobId, symbol, epoch } }: JobContext) => ({ jobId, symbol, epoch });

/** The implementation of the guards and actions that the job's statechart names. The service provides the actors. */
export const jobSetup = setup({
  types: {
    context: {} as JobContext,
    events: {} as JobEvent | Answer,
    input: {} as JobInput,
    tags: {} as 'transient',
  },
  actors: {
    fetch: phaseActor,
    factors: phaseActor,
    universe: phaseActor,
    snapshot: phaseActor,
    cache: phaseActor,
    sleepUntil: sleepActor,
  },
  guards: {
    isResumedTooOften: ({ context }) => isResumedTooOften(context, context.limits),
    isPending: ({ context }) => context.startsAt === 'pending',
    isAtPhase: ({ context }, { phase }: { phase: Phase }) => context.phase === phase,
    isBackingOff: ({ context }) => context.retryAt !== null,
    holdsPermit: ({ context }) => context.permit,
    canRetry: ({ context, event }) => verdict(context, event).kind === 'retry',
    canDegrade: ({ context, event }) => verdict(context, event).kind === 'degrade',
    isPartial: ({ context }) => context.partial,
  },
  actions: {
    // The parent is the supervisor. A test that runs a job alone has no parent, so no permit is requested.
    requestPermit: enqueueActions(({ context, self, enqueue }) => {
      const event: SupervisorEvent = { type: 'permit.requested', ...address(context) };
      if (self._parent) enqueue.sendTo(self._parent, event);
    }),
    takePermit: assign({ permit: true }),
    releasePermit: enqueueActions(({ context, self, enqueue }) => {
      const event: SupervisorEvent = { type: 'permit.released', ...address(context) };
      if (context.permit && self._parent) enqueue.sendTo(self._parent, event);
      enqueue.assign({ permit: false });
    }),
    completePhase: assign(({ context, event }) =>
      'output' in event ? afterPhase(context, event.output) : {},
    ),
    scheduleRetry: assign(({ context, event }) => {
      const { kind, ...retry } = verdict(context, event);
      return kind === 'retry' ? retry : {};
    }),
    degrade: assign(({ context, event }) => {
      const judged = verdict(context, event);
      if (judged.kind !== 'degrade') return {};
      return { degraded: judged.reason, partial: true, attempt: 1, error: judged.error };
    }),
    fail: assign(({ context, event }) => ({ error: verdict(context, event).error })),
    failResumed: assign(({ context: { phase, resumes } }) => ({
      error: {
        code: 'resume_limit_exceeded',
        message: `This job was interrupted ${resumes} times in a row without completing a phase`,
        phase,
      },
    })),
    forgetRetry: assign({ retryAt: null }),
    forgetError: assign({ error: null }),
    restartPhase: assign(({ context }) => retryFrom(context.phase, context)),
    restartFactors: assign(({ context }) => retryFrom('factors', context)),
  },
});
