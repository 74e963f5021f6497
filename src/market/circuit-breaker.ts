/** What an operator sees of a breaker. */
export interface BreakerView {
  state: 'closed' | 'open' | 'half_open';
  /** Epoch milliseconds at which the next request may be sent; null unless open. */
  until: number | null;
  /** Failures in a row since the last good answer. */
  failures: number;
}

/** What an operator sees of the way to a provider. */
export interface GateView {
  breaker: BreakerView;
  limiter: { concurrency: number; intervalMs: number; running: number; waiting: number };
}

/** A request that the breaker let through; `settle` takes it back, whatever became of it. */
export interface Pass {
  readonly period: number;
}

/**
 * How a request ended. `answered`: the provider is there, whatever it said. `failed`: it is not, or not itself.
 * `throttled`: it asks for a pause. `abandoned`: the caller gave up, which tells nothing of the provider.
 */
export type Outcome =
  | { kind: 'answered' }
  | { kind: 'failed'; at: number }
  | { kind: 'throttled'; until: number }
  | { kind: 'abandoned' };

export interface Breaker {
  /** Leave to send one request, or the instant until which to wait. */
  enter(now: number): Pass | { waitUntil: number };
  settle(pass: Pass, outcome: Outcome): void;
  view(now: number): BreakerView;
}

export interface BreakerOptions {
  /** Failures in a row that open it. */
  failuresMax?: number;
  /** The first pause; each further one in a row is twice as long. */
  pauseMs?: number;
  pauseMaxMs?: number;
}

const trialMs = 1000; // while one request finds out whether the provider is back, the others come again after this

/**
 * A circuit breaker that says until when to wait.
 *
 * Closed, it lets everything through. Enough failures in a row open it for a pause; a throttling provider opens it
 * for as long as that asked. After the pause one request is let through: a good answer closes it, a failure opens it
 * for twice as long. What was sent before the last change of state changes nothing any more.
 *
 * Ours, because cockatiel 3 and opossum 9 know pauses of fixed lengths on their own clocks: neither can be held open
 * until an instant that the provider names, nor tell when to come back.
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
        // Sent before the pause began. That it must be longer is news even so.
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
