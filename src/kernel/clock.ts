import { setTimeout as sleep } from 'node:timers/promises';

/** Time as a parameter: the service reads no other clock than this one. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves at `until` (epoch milliseconds), at once if it is past; rejects with the signal's reason. */
  sleepUntil(until: number, signal?: AbortSignal): Promise<void>;
}

// Node fires a longer timeout at once.
const timeoutMaxMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleepUntil(until, signal) {
    for (let left = until - Date.now(); left > 0; left = until - Date.now()) {
      await sleep(Math.min(left, timeoutMaxMs), undefined, signal ? { signal } : {});
    }
  },
};
