import { phases } from '../../../machines/protocol.ts';
import type { TransitionRecord } from '../job/ports.ts';

/** The event of a job that ended because of a mistake of ours. */
export const crashedEvent = 'job.crashed';

export const crashedJobOf = (job: TransitionRecord['job']): TransitionRecord['job'] => ({
  ...job,
  status: 'failed',
  outcome: null,
  retryAt: null,
  error: { code: 'job_crashed', message: 'An unexpected error stopped this job.', phase: job.phase },
});

/**
 * What is written in place of a transition that the database refuses for good: nobody would ever take up its job again.
 * It keeps nothing of what was refused, and is no part of what was lost behind it.
 */
export function crashedRecordOf({ effect: _, notes: _notes, ...record }: TransitionRecord): TransitionRecord {
  const [, name] = record.from.split('.');
  const phase = phases.find((one) => one === name) ?? record.job.phase;
  const job = crashedJobOf({ ...record.job, phase, results: {} });
  return {
    ...record,
    claim: { ...record.claim },
    to: 'failed',
    event: crashedEvent,
    job,
    actorSnapshot: null,
    trace: null,
  };
}
