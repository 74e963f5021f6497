import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Breaker, circuitBreaker, type Outcome, type Pass } from '../../src/market/circuit-breaker.ts';

const answered: Outcome = { kind: 'answered' };
const failed = (at: number): Outcome => ({ kind: 'failed', at });
const passed = (entry: ReturnType<Breaker['enter']>): Pass => {
  if ('waitUntil' in entry) throw new Error(`expected leave, got: wait until ${entry.waitUntil}`);
  return entry;
};
const send = (breaker: Breaker, now: number, outcome: Outcome) =>
  breaker.settle(passed(breaker.enter(now)), outcome);

describe('the breaker', () => {
  test('opens after five failures in a row, not five in all', () => {
    const breaker = circuitBreaker({ pauseMs: 5000 });
    for (let now = 0; now < 4; now += 1) send(breaker, now, failed(now));
    send(breaker, 4, answered);
    for (let now = 5; now < 9; now += 1) send(breaker, now, failed(now));
    expect(breaker.view(9)).toEqual({ state: 'closed', until: null, failures: 4 });
    send(breaker, 9, failed(10));
    expect(breaker.view(10)).toEqual({ state: 'open', until: 5010, failures: 5 });
    expect(breaker.enter(5009)).toEqual({ waitUntil: 5010 });
  });

  test('lets one request through after the pause; whether that is answered decides for all', () => {
    const breaker = circuitBreaker({ failuresMax: 1, pauseMs: 100, pauseMaxMs: 250 });
    send(breaker, 0, failed(0));
    expect(breaker.view(100).state).toBe('half_open');
    const trial = passed(breaker.enter(100));
    expect(breaker.enter(101)).toEqual({ waitUntil: 1101 });
    breaker.settle(trial, failed(110));
    expect(breaker.view(110)).toMatchObject({ state: 'open', until: 310 }); // twice as long
    send(breaker, 310, failed(310));
    expect(breaker.view(310)).toMatchObject({ until: 560 }); // and no longer than it may
    send(breaker, 560, answered);
    expect(breaker.view(560)).toEqual({ state: 'closed', until: null, failures: 0 });
    send(breaker, 561, failed(561));
    expect(breaker.view(561)).toMatchObject({ until: 661 }); // an answer makes the next pause short again
  });

  test('stays open until the instant that a throttling provider names, the later one of two', () => {
    const breaker = circuitBreaker();
    const [first, second, third] = [breaker.enter(0), breaker.enter(0), breaker.enter(0)].map(passed);
    breaker.settle(first!, { kind: 'throttled', until: 60_000 });
    breaker.settle(second!, { kind: 'throttled', until: 90_000 });
    breaker.settle(third!, { kind: 'throttled', until: 70_000 });
    expect(breaker.enter(60_000)).toEqual({ waitUntil: 90_000 });
  });

  test('is not closed by an answer to a request of before', () => {
    const breaker = circuitBreaker({ failuresMax: 1, pauseMs: 100 });
    const old = passed(breaker.enter(0));
    send(breaker, 0, failed(0));
    breaker.settle(old, answered);
    expect(breaker.view(50).state).toBe('open');
  });

  test('gives the trial to the next one when its caller gave up', () => {
    const breaker = circuitBreaker({ failuresMax: 1, pauseMs: 100 });
    send(breaker, 0, failed(0));
    send(breaker, 100, { kind: 'abandoned' });
    send(breaker, 101, answered);
    expect(breaker.view(101).state).toBe('closed');
  });

  test('whatever happens: never sends while open, one trial at a time, and always lets one through in the end', () => {
    // Mostly sent, and often long after the last time: half open is where it is difficult, and the rarest state.
    const settling = fc.constantFrom<Outcome['kind']>('answered', 'failed', 'throttled', 'abandoned');
    const step = fc.record({
      waitMs: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 20_000 })),
      kind: fc.oneof(
        { weight: 3, arbitrary: fc.constant('enter' as const) },
        { weight: 2, arbitrary: settling },
      ),
      pauseMs: fc.integer({ min: 0, max: 5000 }),
      which: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const breaker = circuitBreaker({ failuresMax: 2, pauseMs: 1000, pauseMaxMs: 8000 });
        let now = 0;
        let trial: Pass | null = null;
        const flying: Pass[] = [];
        for (const { waitMs, kind, pauseMs, which } of steps) {
          now += waitMs;
          if (kind === 'enter') {
            const before = breaker.view(now);
            const entry = breaker.enter(now);
            if ('waitUntil' in entry) {
              expect(before.state).not.toBe('closed');
              expect(entry.waitUntil).toBeGreaterThan(now);
              continue;
            }
            expect(before.state).not.toBe('open');
            if (before.state === 'half_open') {
              expect(trial).toBeNull();
              trial = entry;
            }
            flying.push(entry);
          } else if (flying.length > 0) {
            const [pass] = flying.splice(which % flying.length, 1);
            breaker.settle(pass!, { kind, at: now, until: now + pauseMs } as Outcome);
            if (pass === trial) trial = null;
          }
        }
        for (const pass of flying.splice(0)) breaker.settle(pass, { kind: 'abandoned' });
        const { until } = breaker.view(now);
        const last = passed(breaker.enter(until ?? now));
        breaker.settle(last, answered);
        expect(breaker.view(now).state).toBe('closed');
      }),
    );
  });
});
