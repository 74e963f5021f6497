import type { StateValue } from 'xstate';
import { plainText } from './plain-text.ts';
import type { JobContext } from './progress.ts';

/** A job's actor snapshot for people: what REST and the journal show. Never read back to resume. */
export interface ActorSnapshot {
  value: StateValue;
  status: string;
  context: Record<string, unknown>;
}

const bytesMax = 2048; // the journal keeps one with every transition of every job
const nameMax = 60; // UTF-16 units, of at most 3 bytes each: with one message they stay far below bytesMax
const textMax = 240;
const encoder = new TextEncoder();

/**
 * The snapshot as JSON of at most 2 kB, whatever the phases left in it: texts are clipped, and results that do not
 * fit are left out and counted in `resultsOmitted`.
 */
export function actorSnapshotOf(snapshot: {
  value: StateValue;
  status: string;
  context: JobContext;
}): ActorSnapshot {
  const {
    claim,
    limits: _limits,
    startsAt: _startsAt,
    results,
    error,
    degraded,
    ...context
  } = snapshot.context;
  const shown: ActorSnapshot = {
    value: snapshot.value,
    status: snapshot.status,
    context: {
      jobId: plainText(claim.jobId, nameMax),
      symbol: plainText(claim.symbol, nameMax),
      reason: claim.reason,
      epoch: claim.epoch,
      ...context,
      degraded: degraded && plainText(degraded, nameMax),
      error: error && {
        code: plainText(error.code, nameMax),
        message: plainText(error.message, textMax),
        phase: error.phase,
      },
    },
  };
  const entries = Object.entries(results).map(
    ([key, value]) => [plainText(key, nameMax), jsonClean(value)] as const,
  );
  const kept = surelyFit([shown, entries])
    ? entries
    : entries.slice(0, fitting(entries, bytesMax - bytesOf(shown) - 60));
  shown.context.results = Object.fromEntries(kept);
  if (kept.length < entries.length) shown.context.resultsOmitted = entries.length - kept.length;
  return shown;
}

/** No UTF-16 unit takes more than 3 bytes; the rest is what counting them would leave for `resultsOmitted`. */
const surelyFit = (value: unknown): boolean => 3 * JSON.stringify(value).length < bytesMax - 60;

/** How many of the entries, from the first, fit into so many bytes. */
function fitting(entries: readonly (readonly [string, unknown])[], bytes: number): number {
  let left = bytes;
  const over = entries.findIndex(([key, value]) => {
    left -= bytesOf({ [key]: value });
    return left < 0;
  });
  return over < 0 ? entries.length : over;
}

function jsonClean(value: string | number | boolean | null): string | number | boolean | null {
  if (typeof value === 'string') return plainText(value, textMax);
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

function bytesOf(value: unknown): number {
  return encoder.encode(JSON.stringify(value)).length;
}
