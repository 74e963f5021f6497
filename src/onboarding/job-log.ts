import type { PhaseFailure, PhaseInput } from '../../machines/protocol.ts';
import type { TransitionRecord } from './job/ports.ts';

/** The part of pino's logger that is used here. */
export interface JobLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Logs for operators: each end of a job, each retry, and each failed phase with its cause. */
export function jobLog(logger: JobLogger) {
  return {
    onFailure({ claim, phase, attempt }: PhaseInput, failure: PhaseFailure, cause: unknown): void {
      const { jobId, symbol } = claim;
      const details = { jobId, symbol, phase, attempt, code: failure.code, err: cause };
      // An unclassified failure is a bug in the service.
      if (failure.code === 'internal_error') logger.error(details, 'phase failed unexpectedly');
      else logger.warn(details, 'phase failed');
    },
    onCommitted({ claim: { jobId, symbol }, to, job }: TransitionRecord): void {
      const { phase, attempt, outcome, error } = job;
      if (to === 'completed') logger.info({ jobId, symbol, outcome }, 'symbol onboarded');
      if (to === 'cancelled') logger.info({ jobId, symbol, phase }, 'onboarding cancelled');
      if (to === 'failed') logger.warn({ jobId, symbol, phase, attempt, ...error }, 'onboarding failed');
      if (to.endsWith('.backingOff')) {
        const until = job.retryAt === null ? null : new Date(job.retryAt).toISOString();
        logger.info({ jobId, symbol, phase, attempt, until }, 'phase will be retried');
      }
    },
  };
}
