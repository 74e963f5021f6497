import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';

/** Whether a provider is believed when it says that it does not know a symbol. */
export interface Health {
  /** It has just given prices: it is itself. */
  markHealthy(): void;
  /** Resolves where it has just proven itself, or does now; rejects, retryable, where it cannot. */
  requireHealthy(): Promise<void>;
}

const healthyMs = 60_000;
const retryMs = 5000; // between two questions to a provider that did not pass

/**
 * Has a provider prove itself before its "no such symbol" is believed: by prices that it gave within the last minute,
 * or else by knowing the canary, a symbol that surely exists, asked for on the same path. A proxy, a maintenance page
 * or a half-dead server that knows nobody thus never makes a real symbol invalid.
 *
 * Whoever needs proof at the same time shares one question, and a failed one is not repeated for five seconds.
 */
export function canaryHealth({
  clock,
  ask,
  unknown,
}: {
  clock: Pick<Clock, 'now'>;
  /** Asks for the canary; rejects where there are no prices of it. */
  ask: () => Promise<void>;
  /** The failure of a provider that does not know the canary either. */
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
