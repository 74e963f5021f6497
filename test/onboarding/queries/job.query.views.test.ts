import { describe, expect, test } from 'vitest';
import {
  type JobRow,
  jobOf,
  progressIn,
  type TransitionRow,
  transitionOf,
} from '../../../src/onboarding/queries/job.query.ts';

const at = '2026-11-22 18:49:03.174+00';
const job: JobRow = {
  id: '0199a000-0000-7000-8000-000000000002',
  symbol: 'AAPL',
  reason: 'upload',
  status: 'processing',
  outcome: null,
  state: 'processing.factors.running',
  phase: 'factors',
  attempt: 2,
  retry_at: null,
  waited_ms: '1500',
  resumes: 0,
  sequence: 7,
  node: 'node-1',
  error_code: null,
  error_message: null,
  error_phase: null,
  cancel_requested_at: null,
  created_at: at,
  started_at: at,
  finished_at: null,
  updated_at: at,
};
const transition: TransitionRow = {
  ...{ job_id: job.id, symbol: 'AAPL', position: '9007199254740991', sequence: 7 },
  ...{ from_state: 'processing.fetch.running', to_state: 'processing.factors.running', event: 'fetch.done' },
  ...{ attempt: 1, duration_ms: 12, node: 'node-1', claim_epoch: 1 },
  ...{ error_code: null, error_message: null, at },
};

describe('progress', () => {
  test.each([
    ['fetch', 0],
    ['factors', 0.2],
    ['universe', 0.4],
    ['snapshot', 0.6],
    ['cache', 0.8],
  ] as const)('counts the phases that are behind a job: in %s %d', (phase, progress) => {
    expect(progressIn('processing', phase)).toBe(progress);
    expect(jobOf({ ...job, phase, state: `processing.${phase}.backingOff` }).progress).toBe(progress);
    expect(jobOf({ ...job, phase, status: 'failed', state: 'failed' }).progress).toBe(progress);
    const view = transitionOf({ ...transition, to_state: `processing.${phase}.waiting` });
    expect([view.status, view.phase, view.progress]).toEqual(['processing', phase, progress]);
  });

  test('is whole only at the end of a job that has completed', () => {
    expect(jobOf({ ...job, phase: 'cache', status: 'completed', state: 'completed' }).progress).toBe(1);
    expect(transitionOf({ ...transition, to_state: 'completed' })).toMatchObject({
      phase: null,
      progress: 1,
    });
    for (const to_state of ['pending', 'failed', 'cancelled']) {
      expect(transitionOf({ ...transition, to_state })).toMatchObject({ phase: null, progress: 0 });
    }
  });
});

describe('a job as it is shown', () => {
  test('has its moments in UTC, its waiting as a number, and an error only where there is a code', () => {
    expect(jobOf(job)).toMatchObject({
      created_at: '2026-11-22T18:49:03.174Z',
      retry_at: null,
      waited_ms: 1500,
      error: null,
    });
    const failed = { error_code: 'no_price_data', error_message: null, error_phase: 'fetch' } as const;
    const error = { code: 'no_price_data', message: '', phase: 'fetch' };
    expect(jobOf({ ...job, ...failed }).error).toEqual(error);
    expect(transitionOf({ ...transition, ...failed })).toMatchObject({
      position: 9_007_199_254_740_991,
      at: '2026-11-22T18:49:03.174Z',
      error: { code: 'no_price_data', message: '' },
    });
  });
});
