import { phases } from '../../../machines/protocol.ts';
import type { TransitionRecord } from '../job/ports.ts';

/** The journal event of a job that a bug of ours ended. */
export const crashedEvent = 'job.crashed';

export const crashedJobOf = (job: TransitionRecord['job']): TransitionRecord['job'] => ({
  ...job,
  status: 'failed',
  outcome: null,
  retryAt: null,
  error: { code: 'job_crashed', message: 'An unexpected error stopped this job.', phase: job.phase },
});

/**
 * The record that replaces a transition which the database rejects permanently. Without it the job would stay
 * unfinished forever. It keeps no data of the rejected transition. Its claim is a copy, so that the group commit, which
 * drops all later entries of a lost claim, still writes it.
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
