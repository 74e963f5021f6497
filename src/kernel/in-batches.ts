import type { Clock } from './clock.ts';

const pauseMs = 50; // so that whoever waits for the database has it between two batches

/**
 * Runs `next` from cursor to cursor until it answers null, with a pause after each batch. Throws the signal's reason
 * once that aborts.
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
