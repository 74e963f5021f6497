import type { Clock } from '../../src/kernel/clock.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeProvider } from './provider.contract.ts';

describeProvider('simulated', async ({ now, faults, hangs }) => {
  let passedMs = 0;
  const clock: Clock = {
    now: () => now + passedMs,
    sleepUntil: (_, signal) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  return {
    provider: simulatedProvider({ clock, seed: 1, faults, latencyMs: hangs ? 1 : 0 }),
    advance: (ms) => {
      passedMs += ms;
    },
    close: async () => {},
  };
});
