import type { Admission, Wanted } from '../job/ports.ts';

export type AdmissionVerdict =
  | {
      kind: 'admissible';
      /** Have an unfinished job already. */
      joined: Wanted[];
      /** Get one. */
      added: Wanted[];
    }
  | Exclude<Admission, { kind: 'admitted' }>;

/** What becomes of wanted jobs beside those that are unfinished: all that are required, or none. */
export function decideAdmission(
  wanted: readonly Wanted[],
  { unfinished, depthMax }: { unfinished: ReadonlySet<string>; depthMax: number },
): AdmissionVerdict {
  const joined = wanted.filter(({ symbol }) => unfinished.has(symbol));
  const missing = wanted.filter(({ symbol }) => !unfinished.has(symbol));
  const required = missing.filter(({ reason }) => reason !== 'refresh');
  const depth = unfinished.size;
  const free = Math.max(0, depthMax - depth); // the limit may have been lowered at the last start
  if (required.length > depthMax) {
    return { kind: 'too_many_symbols', needed: required.length, limit: depthMax };
  }
  if (required.length > free) {
    return { kind: 'queue_full', depth, limit: depthMax, needed: required.length };
  }
  // A refresh takes what room is left and never turns an upload away: its lots keep their stored close meanwhile.
  const refreshes = missing.filter(({ reason }) => reason === 'refresh').slice(0, free - required.length);
  return { kind: 'admissible', joined, added: [...required, ...refreshes] };
}
