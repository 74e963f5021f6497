import PQueue from 'p-queue';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { type BreakerOptions, circuitBreaker, type GateView, type Outcome } from './breaker.ts';
import type { ProviderName } from './provider.ts';
import { failures } from './provider-failures.ts';

export interface GateOptions extends BreakerOptions {
  clock: Clock;
  /** Requests in flight at once, bodies included. */
  concurrency?: number;
  /** Milliseconds between the starts of two requests. */
  intervalMs?: number;
  /** Requests that may wait for their turn. */
  waitingMax?: number;
}

export interface GateRequest {
  provider: ProviderName;
  /** Ends the wait for its turn; the request itself listens to it as well. */
  signal?: AbortSignal | undefined;
  /** False: this request is let through like any other, but how it ends says nothing of the provider. */
  countsForBreaker?: boolean;
}

export interface Gate {
  pass<T>(request: GateRequest, send: () => Promise<T>): Promise<T>;
  view(): GateView;
}

const initialMeanMs = 500; // what a request takes before one was measured
const waitMinMs = 1000;

/**
 * The one way out to a provider for a whole process: a limiter of concurrency and rate, and behind it a breaker.
 *
 * Both have answers of the kind "wait until then", which use up no attempt: `provider_paused` while the breaker is
 * open, `provider_busy` where too many wait already. Nobody waits in line for a breaker that is open, and what
 * was in line when it opened is turned away when its turn comes.
 */
export function providerGate(options: GateOptions): Gate {
  const { clock, concurrency = 4, intervalMs = 0, waitingMax = 400 } = options;
  const breaker = circuitBreaker(options);
  const queue = new PQueue({
    concurrency,
    ...(intervalMs > 0 && { interval: intervalMs, intervalCap: 1, strict: true }),
  });
  let meanMs = initialMeanMs;

  const refuseWhileOpen = (provider: ProviderName): void => {
    const { state, until } = breaker.view(clock.now());
    if (state === 'open') throw failures.paused({ provider, retryAt: until! });
  };
  const refuseWhenFull = (provider: ProviderName): void => {
    const waiting = queue.size;
    if (waiting < waitingMax) return;
    const waitMs = Math.ceil((waiting / 2) * Math.max(intervalMs, meanMs / concurrency));
    throw failures.busy({ provider, waiting, retryAt: clock.now() + Math.max(waitMinMs, waitMs) });
  };
  const sent = async <T>(
    { provider, signal, countsForBreaker = true }: GateRequest,
    send: () => Promise<T>,
  ) => {
    const pass = breaker.enter(clock.now());
    if ('waitUntil' in pass) throw failures.paused({ provider, retryAt: pass.waitUntil });
    const began = clock.now();
    let outcome: Outcome = { kind: 'abandoned' };
    try {
      const answer = await send();
      outcome = { kind: 'answered' };
      meanMs += (Math.max(0, clock.now() - began) - meanMs) / 8;
      return answer;
    } catch (error) {
      if (!signal?.aborted) outcome = outcomeOf(error, clock.now());
      throw error;
    } finally {
      breaker.settle(pass, countsForBreaker ? outcome : { kind: 'abandoned' });
    }
  };

  return {
    async pass(request, send) {
      request.signal?.throwIfAborted();
      refuseWhileOpen(request.provider);
      refuseWhenFull(request.provider);
      return queue.add(() => sent(request, send), { signal: request.signal });
    },
    view: () => ({
      breaker: breaker.view(clock.now()),
      limiter: { concurrency, intervalMs, running: queue.pending, waiting: queue.size },
    }),
  };
}

/** A permanent failure is the provider's own word about a symbol: whoever says that is there. */
function outcomeOf(error: unknown, at: number): Outcome {
  if (!(error instanceof AppError)) return { kind: 'failed', at };
  if (error.retryAt !== undefined) return { kind: 'throttled', until: error.retryAt };
  // A crumb that is no longer taken is a matter between us and a provider in good health.
  return error.retryable && error.details.status !== 401 ? { kind: 'failed', at } : { kind: 'answered' };
}
