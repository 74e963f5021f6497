import { LRUCache } from 'lru-cache';
import type { Claim } from '../../machines/protocol.ts';

/** What one phase has in hand for the next one of its claim. Whoever resumes there, or tries again, reads it instead. */
export interface Handover<Value> {
  give(claim: Claim, value: Value): void;
  /** Once. */
  take(claim: Claim): Value | undefined;
}

const claimsMax = 200; // a year of closes each: about 3 MB

export function handover<Value extends object>(): Handover<Value> {
  const held = new LRUCache<string, Value>({ max: claimsMax });
  const key = ({ jobId, epoch }: Claim) => `${jobId} ${epoch}`;
  return {
    give: (claim, value) => void held.set(key(claim), value),
    take(claim) {
      const value = held.get(key(claim));
      held.delete(key(claim));
      return value;
    },
  };
}
