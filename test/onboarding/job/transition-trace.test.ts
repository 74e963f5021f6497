import { describe, expect, test } from 'vitest';
import type { ProviderEvent } from '../../../src/market/provider-calls.ts';
import { inputOf, isWrite, jobTrace, traceOf } from '../../../src/onboarding/job/transition-trace.ts';

const request: ProviderEvent = {
  kind: 'request',
  provider: 'yahoo',
  url: 'https://example.com/',
  status: 200,
  result: 'ok',
  durationMs: 5,
  bytes: 10,
  at: 1000,
};

describe('jobTrace', () => {
  test('returns what was recorded once, and starts empty again', () => {
    const trace = jobTrace();
    trace.record(request);
    trace.record({
      kind: 'fallback',
      from: 'yahoo',
      to: 'files',
      code: 'provider_timeout',
      message: 'm',
      at: 1,
    });
    trace.countWrite();
    trace.countWrite();
    const { kind: _kind, ...shown } = request;
    expect(trace.take()).toEqual({
      requests: [shown],
      fallbacks: [{ from: 'yahoo', to: 'files', code: 'provider_timeout', message: 'm', at: 1 }],
      writes: 2,
    });
    expect(traceOf(trace.take())).toBeNull();
  });

  test('keeps a bounded number of requests and counts the omitted ones', () => {
    const trace = jobTrace();
    for (let n = 0; n < 60; n += 1) trace.record(request);
    const { requests, omitted } = trace.take();
    expect([requests?.length, omitted]).toEqual([50, 10]);
  });

  test('cleans the texts of a provider so that the journal can store them', () => {
    const trace = jobTrace();
    trace.record({ kind: 'fallback', from: 'a', to: 'b', code: 'c', message: 'no\u0000 \ud800', at: 1 });
    const { failure } = inputOf({
      type: 'xstate.error.actor.fetch',
      error: { code: 'x', message: '\u0000'.repeat(9000), retryable: false, at: 1, jitter: 0 },
    } as never);
    const kept = JSON.stringify([trace.take(), failure]);
    expect(kept).not.toMatch(/\\u(0000|d8)/);
    expect(kept.length).toBeLessThan(1000);
  });
});

describe('inputOf', () => {
  const failure = { code: 'provider_timeout', message: 'm', retryable: true, at: 1, jitter: 0.5 };
  test.each([
    [
      { type: 'xstate.done.actor.fetch', output: { results: { bars: 2 } } },
      { output: { results: { bars: 2 } } },
    ],
    [{ type: 'xstate.error.actor.fetch', error: failure }, { failure }],
    [{ type: 'xstate.error.actor.fetch', error: new Error('ours') }, {}],
    [{ type: 'xstate.done.actor.sleepUntil', output: undefined }, {}],
    [{ type: 'permit.granted' }, {}],
  ])('keeps the part of %j that the machine reads', (event, input) => {
    expect(inputOf(event)).toEqual(input);
  });
});

describe('isWrite', () => {
  test.each([
    ['insert into prices values ($1)', true],
    ['with due as (select 1 for update) update symbol_universe u set x = 1', true],
    ['DELETE FROM prices', true],
    ['with a as (insert into prices select 1) select 1', true],
    ['select id from jobs order by id for no key update of j', false],
    ['select id from jobs for update skip locked', false],
    ['select updated_at from jobs for share', false],
  ])('%s: %s', (statement, is) => {
    expect(isWrite(statement)).toBe(is);
  });
});
