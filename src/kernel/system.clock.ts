import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './clock.ts';

// Node fires a longer timeout immediately.
const timeoutMaxMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleepUntil(until, signal) {
    for (let left = until - Date.now(); left > 0; left = until - Date.now()) {
      await sleep(Math.min(left, timeoutMaxMs), undefined, signal ? { signal } : {});
    }
  },
};
