/** What an operator sees of a breaker. */
export interface BreakerView {
  state: 'closed' | 'open' | 'half_open';
  /** Epoch milliseconds at which the next request may be sent; null unless open. */
  until: number | null;
  /** Consecutive failures since the last success. */
  failures: number;
}

/** What an operator sees of the gate to a provider. */
export interface GateView {
  breaker: BreakerView;
  limiter: { concurrency: number; intervalMs: number; running: number; waiting: number };
}

/** Permission to send one request. Return it with `settle`, whatever the outcome. */
export interface Pass {
  readonly period: number;
}

/**
 * How a request ended. `answered`: the provider works, whatever its answer. `failed`: it does not, or is not itself.
 * `throttled`: it demands a pause. `abandoned`: the caller cancelled, which says nothing about the provider.
 */
export type Outcome =
  | { kind: 'answered' }
  | { kind: 'failed'; at: number }
  | { kind: 'throttled'; until: number }
  | { kind: 'abandoned' };

export interface Breaker {
  /** Permission to send one request, or the instant (epoch milliseconds) to wait for. */
  enter(now: number): Pass | { waitUntil: number };
  settle(pass: Pass, outcome: Outcome): void;
  view(now: number): BreakerView;
}

export interface BreakerOptions {
  /** Consecutive failures that open it. */
  failuresMax?: number;
  /** The first pause. Each consecutive one is twice as long. */
  pauseMs?: number;
  pauseMaxMs?: number;
}

const trialMs = 1000; // how long other requests wait while one trial request checks whether the provider is back

/**
 * A circuit breaker that says how long to wait.
 *
 * Closed, it admits every request. `failuresMax` consecutive failures open it for a pause; a throttling provider opens
 * it until the instant that the provider names. After the pause it is half open and admits one trial request: a success
 * closes it, a failure opens it for twice as long. The outcome of a request sent before the last change of state is
 * ignored.
 *
 * Our own code, because cockatiel 3 and opossum 9 only know pauses of fixed length on their own clocks: neither can
 * stay open until an instant that the provider names, nor say when to retry.
 *
 *     const breaker = circuitBreaker({ failuresMax: 1, pauseMs: 5000 });
 *     breaker.settle(breaker.enter(0) as Pass, { kind: 'failed', at: 100 });
 *     breaker.enter(200)   // { waitUntil: 5100 }
 */
export function circuitBreaker(options: BreakerOptions = {}): Breaker {
  const { failuresMax = 5, pauseMs = 5000, pauseMaxMs = 300_000 } = options;
  let period = 0;
  let failures = 0;
  let pauses = 0;
  let until: number | null = null; // null: closed
  let onTrial = false;

  const open = (instant: number): void => {
    until = instant;
    onTrial = false;
    pauses += 1;
    period += 1;
  };
  const close = (): void => {
    if (until !== null) period += 1;
    until = null;
    onTrial = false;
    failures = 0;
    pauses = 0;
  };

  return {
    enter(now) {
      if (until === null) return { period };
      if (now < until) return { waitUntil: until };
      if (onTrial) return { waitUntil: now + trialMs };
      onTrial = true;
      return { period };
    },
    settle(pass, outcome) {
      if (pass.period !== period) {
        // Sent before the pause began. It may still lengthen the pause.
        if (outcome.kind === 'throttled' && until !== null) until = Math.max(until, outcome.until);
        return;
      }
      switch (outcome.kind) {
        case 'answered':
          close();
          break;
        case 'failed':
          failures += 1;
          if (until !== null || failures >= failuresMax) {
            open(outcome.at + Math.min(pauseMaxMs, pauseMs * 2 ** Math.min(pauses, 30)));
          }
          break;
        case 'throttled':
          failures += 1;
          open(outcome.until);
          break;
        case 'abandoned':
          onTrial = false;
      }
    },
    view(now) {
      if (until === null) return { state: 'closed', until: null, failures };
      return now < until ? { state: 'open', until, failures } : { state: 'half_open', until: null, failures };
    },
  };
}
