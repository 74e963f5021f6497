import type { Clock } from '../../src/kernel/clock.ts';
import { providerGate } from '../../src/market/provider-gate.client.ts';
import type { Fault } from '../../src/market/simulated/faults.ts';
import { yahooProvider } from '../../src/market/yahoo/yahoo.provider.ts';
import type { StandinFault } from '../support/standin-yahoo/faults.ts';
import { startStandinYahoo } from '../support/standin-yahoo/server.ts';
import { describeProvider } from './provider.contract.ts';

/** A clock that stands still until it is moved; whoever sleeps on it wakes when the test says so. */
function stillClock(now: number): Clock & { advance(ms: number): void; wakeAll(): void } {
  let passedMs = 0;
  const sleepers = new Set<() => void>();
  return {
    now: () => now + passedMs,
    advance: (ms) => {
      passedMs += ms;
    },
    sleepUntil: (_, signal) =>
      new Promise((resolve, reject) => {
        sleepers.add(resolve);
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
    wakeAll: () => {
      for (const wake of sleepers) wake();
    },
  };
}

function standinFault({ symbol, kind, count }: Fault): StandinFault {
  const name = symbol.replace(/[.^]/g, '\\$&');
  // A symbol is looked up by the chart that its history is made of.
  const match = `/chart/${name}\\?`;
  const standinKind = kind.replace('lookup-', '') as StandinFault['kind'];
  return { match, kind: standinKind, ...(Number.isFinite(count) && { count }) };
}

describeProvider('yahoo, against the stand-in', async ({ now, faults, hangs }) => {
  const clock = stillClock(now);
  const yahoo = await startStandinYahoo({
    seed: 1,
    now: () => now,
    faults: hangs ? [{ match: '.', kind: 'timeout' }] : faults.map(standinFault),
    onFault: ({ kind }) => {
      // The request that gets no answer is the only one under way: its deadline passes.
      if (kind === 'timeout' && !hangs) clock.wakeAll();
    },
  });
  return {
    provider: yahooProvider({ clock, gate: providerGate({ clock }), baseUrl: yahoo.url }),
    advance: clock.advance,
    close: () => yahoo.close(),
  };
});
