import type { Admission, Wanted } from '../job/ports.ts';

export type AdmissionVerdict =
  | {
      kind: 'admissible';
      /** Symbols that already have an unfinished job. */
      joined: Wanted[];
      /** Symbols that get a new job. */
      added: Wanted[];
    }
  | Exclude<Admission, { kind: 'admitted' }>;

/** Decides whether wanted jobs are admitted, given the unfinished ones: all required jobs or none. */
export function decideAdmission(
  wanted: readonly Wanted[],
  { unfinished, depthMax }: { unfinished: ReadonlySet<string>; depthMax: number },
): AdmissionVerdict {
  const joined = wanted.filter(({ symbol }) => unfinished.has(symbol));
  const missing = wanted.filter(({ symbol }) => !unfinished.has(symbol));
  const required = missing.filter(({ reason }) => reason !== 'refresh');
  const depth = unfinished.size;
  const free = Math.max(0, depthMax - depth); // never negative: the limit may have been lowered at the last start
  if (required.length > depthMax) {
    return { kind: 'too_many_symbols', needed: required.length, limit: depthMax };
  }
  if (required.length > free) {
    return { kind: 'queue_full', depth, limit: depthMax, needed: required.length };
  }
  // Refreshes only use the room that is left, so they never cause the refusal of an upload. Until then lots keep their
  // stored close.
  const refreshes = missing.filter(({ reason }) => reason === 'refresh').slice(0, free - required.length);
  return { kind: 'admissible', joined, added: [...required, ...refreshes] };
}
