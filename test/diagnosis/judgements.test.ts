import { describe, expect, test } from 'vitest';
import { judgeGate } from '../../src/diagnosis/judgements.ts';
import type { GateView } from '../../src/market/circuit-breaker.ts';

describe('the judgement on the way to the provider', () => {
  const limiter = { concurrency: 4, intervalMs: 0, running: 1, waiting: 2 };
  const judged = (breaker: GateView['breaker'], more: Partial<GateView['limiter']> = {}) =>
    judgeGate({ breaker, limiter: { ...limiter, ...more } });
  const closed = { state: 'closed', until: null, failures: 0 } as const;

  test('is good while requests are sent, and warns where many wait', () => {
    expect(judged(closed)).toEqual({
      verdict: 'ok',
      evidence: 'The breaker is closed; 1 of 4 requests running, 2 waiting.',
      cure: null,
    });
    expect(judged(closed, { waiting: 100, intervalMs: 250 })).toMatchObject({
      verdict: 'warning',
      evidence: 'The breaker is closed; 1 of 4 requests running, one every 250 ms, 100 waiting.',
    });
  });

  test('says until when nothing is sent, and why', () => {
    const until = Date.parse('2026-07-31T20:00:00Z');
    expect(judged({ state: 'open', until, failures: 5 })).toMatchObject({
      verdict: 'warning',
      evidence:
        'The breaker is open after 5 failures in a row: no request is sent until 2026-07-31T20:00:00.000Z.',
    });
    expect(judged({ state: 'half_open', until: null, failures: 1 }).evidence).toMatch(
      /^The breaker is half open after 1 failure in a row: the next request/,
    );
  });
});
