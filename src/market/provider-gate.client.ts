import PQueue from 'p-queue';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { type BreakerOptions, circuitBreaker, type GateView, type Outcome } from './circuit-breaker.ts';
import type { ProviderName } from './provider.ts';
import { failures } from './provider-failures.ts';

export interface GateOptions extends BreakerOptions {
  clock: Clock;
  /** Requests in flight at once, bodies included. */
  concurrency?: number;
  /** Milliseconds between the starts of two requests. */
  intervalMs?: number;
  /** Requests that may wait in the queue. */
  waitingMax?: number;
}

export interface GateRequest {
  provider: ProviderName;
  /** Cancels the wait in the queue; the request itself also listens to it. */
  signal?: AbortSignal | undefined;
  /** Whether its outcome may open or close the breaker. By default true. */
  countsForBreaker?: boolean;
}

export interface Gate {
  pass<T>(request: GateRequest, send: () => Promise<T>): Promise<T>;
  view(): GateView;
}

const initialMeanMs = 500; // assumed duration of a request until one is measured
const waitMinMs = 1000;

/**
 * The process's only path to a provider: a limiter of concurrency and rate, followed by a circuit breaker.
 *
 * Both reject with a `retryAt`, which uses up no attempt: `provider_paused` while the breaker is open, `provider_busy`
 * while the queue is full (backpressure). While the breaker is open no request enters the queue, and requests already
 * in it are rejected when their turn comes.
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

/** A permanent failure is the provider's statement about a symbol, so the provider works. */
function outcomeOf(error: unknown, at: number): Outcome {
  if (!(error instanceof AppError)) return { kind: 'failed', at };
  if (error.retryAt !== undefined) return { kind: 'throttled', until: error.retryAt };
  // A rejected crumb (401) means that our session expired, not that the provider fails.
  return error.retryable && error.details.status !== 401 ? { kind: 'failed', at } : { kind: 'answered' };
}
