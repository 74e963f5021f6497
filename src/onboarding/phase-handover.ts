import { LRUCache } from 'lru-cache';
import type { Claim } from '../../machines/protocol.ts';

/** Passes data in memory from one phase to the next one of the same claim. A resumed or retried phase reads the database. */
export interface Handover<Value> {
  give(claim: Claim, value: Value): void;
  /** Returns the value and removes it. */
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
