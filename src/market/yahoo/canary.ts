import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';

/** Health of a provider, which decides whether its "no such symbol" is believed. */
export interface Health {
  /** The provider has just returned prices, so it works. */
  markHealthy(): void;
  /** Resolves if the provider proved healthy within the last minute, or does so now. Otherwise rejects, retryable. */
  requireHealthy(): Promise<void>;
}

const healthyMs = 60_000;
const retryMs = 5000; // between two probes of an unhealthy provider

/**
 * Checks that a provider works before its "no such symbol" is believed. Proof is a price returned within the last
 * minute, or the canary: a symbol that certainly exists, requested on the same path. So a proxy, a maintenance page or
 * a half-working server that answers "not found" to everything never makes a real symbol invalid.
 *
 * Concurrent callers share one probe (single-flight), and a failed probe is not repeated for five seconds.
 */
export function canaryHealth({
  clock,
  ask,
  unknown,
}: {
  clock: Pick<Clock, 'now'>;
  /** Requests the canary; rejects if it has no prices. */
  ask: () => Promise<void>;
  /** The failure of a provider that does not know the canary. */
  unknown: (cause: unknown) => AppError;
}): Health {
  let healthyAt = Number.NEGATIVE_INFINITY;
  let failure: { at: number; error: AppError } | null = null;
  let inFlight: Promise<void> | null = null;

  const probe = async (): Promise<void> => {
    try {
      await ask();
      healthyAt = clock.now();
      failure = null;
    } catch (error) {
      const isOutage = error instanceof AppError && error.retryable;
      failure = { at: clock.now(), error: isOutage ? error : unknown(error) };
      throw failure.error;
    } finally {
      inFlight = null;
    }
  };

  return {
    markHealthy: () => {
      healthyAt = clock.now();
    },
    async requireHealthy() {
      const now = clock.now();
      if (now - healthyAt <= healthyMs) return;
      if (failure && now - failure.at < retryMs) throw failure.error;
      inFlight ??= probe();
      await inFlight;
    },
  };
}
