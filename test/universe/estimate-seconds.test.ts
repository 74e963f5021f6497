import { describe, expect, test } from 'vitest';
import { estimateSeconds } from '../../src/universe/estimate-seconds.ts';

const measured = { fetch: 2, factors: 1, universe: 0.25, snapshot: 0.5, cache: 0.25 };
const input = { phaseSeconds: measured, phase: null, ahead: 0, concurrency: 3, waitSeconds: 0 };

describe('the estimate', () => {
  test('is unknown before anything was measured', () => {
    expect(estimateSeconds({ ...input, phaseSeconds: {} })).toBeNull();
  });

  test.each([
    ['all five phases of a job that waits', {}, 4],
    ['only what is left of one that runs', { phase: 'snapshot' }, 1],
    ['the phase that runs as a whole', { phase: 'fetch' }, 4],
    ['the queue ahead, shared by the permits', { ahead: 6 }, 12],
    ['a share of the queue, rounded up once', { ahead: 1 }, 6],
    ['nothing for a queue behind one that runs', { phase: 'factors', ahead: 9 }, 2],
    ['the wait of one that backs off', { phase: 'cache', waitSeconds: 30 }, 31],
    ['nothing for what was never measured', { phaseSeconds: { fetch: 2 } }, 2],
  ] as const)('counts %s', (_, changes, seconds) => {
    expect(estimateSeconds({ ...input, ...changes })).toBe(seconds);
  });
});
