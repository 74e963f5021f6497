import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';

/** Whether a provider is believed when it says that it does not know a symbol. */
export interface Health {
  /** It has just given prices: it is itself. */
  prove(): void;
  /** Resolves where it has just proven itself, or does now; rejects, retryable, where it cannot. */
  require(): Promise<void>;
}

const provenMs = 60_000;
const unprovenMs = 5000; // between two questions to a provider that did not pass

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
  let provenAt = Number.NEGATIVE_INFINITY;
  let refused: { at: number; error: AppError } | null = null;
  let flight: Promise<void> | null = null;

  const question = async (): Promise<void> => {
    try {
      await ask();
      provenAt = clock.now();
      refused = null;
    } catch (error) {
      const isOutage = error instanceof AppError && error.retryable;
      refused = { at: clock.now(), error: isOutage ? error : unknown(error) };
      throw refused.error;
    } finally {
      flight = null;
    }
  };

  return {
    prove: () => {
      provenAt = clock.now();
    },
    async require() {
      const now = clock.now();
      if (now - provenAt <= provenMs) return;
      if (refused && now - refused.at < unprovenMs) throw refused.error;
      flight ??= question();
      await flight;
    },
  };
}
