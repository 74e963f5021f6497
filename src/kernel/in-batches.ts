import type { Clock } from './clock.ts';

const pauseMs = 50; // lets other statements reach the database between two batches

/**
 * Calls `next` with the cursor that it returned last, until it returns null, with a pause after each batch. Throws the
 * signal's reason once the signal aborts.
 */
export async function inBatches<Cursor>(
  next: (after: Cursor | null) => Promise<Cursor | null>,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  for (let after: Cursor | null = null; ; ) {
    signal.throwIfAborted();
    after = await next(after);
    if (after === null) return;
    await clock.sleepUntil(clock.now() + pauseMs, signal);
  }
}
