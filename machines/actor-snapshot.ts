import type { StateValue } from 'xstate';
import { plainText } from './plain-text.ts';
import type { JobContext } from './progress.ts';

/** A job's actor snapshot for display in REST and the journal. It is never used to resume a job. */
export interface ActorSnapshot {
  value: StateValue;
  status: string;
  context: Record<string, unknown>;
}

const bytesMax = 2048; // the journal stores one with every transition of every job
const nameMax = 60; // UTF-16 units, at most 3 bytes each: all names and one message stay far below bytesMax
const textMax = 240;
const encoder = new TextEncoder();

/**
 * The snapshot as JSON of at most 2 kB. Texts are clipped. Results that do not fit are removed and counted in
 * `resultsOmitted`.
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

/** A cheap upper bound: a UTF-16 unit takes at most 3 bytes, and 60 bytes are reserved for `resultsOmitted`. */
const surelyFit = (value: unknown): boolean => 3 * JSON.stringify(value).length < bytesMax - 60;

/** How many of the first entries fit into this many bytes. */
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
