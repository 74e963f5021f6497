import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/kernel/clock.ts';
import { proxies } from '../../../src/market/proxy-set.ts';
import { parseFaults } from '../../../src/market/simulated/faults.ts';
import { simulatedProvider } from '../../../src/market/simulated/simulated.provider.ts';
import { simulatedProxies } from '../../../src/market/simulated/simulation.ts';

/** A clock that jumps to whatever instant is waited for, and remembers the waits. */
function leapingClock(start: string): Clock & { waits: number[] } {
  let now = Date.parse(start);
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    async sleepUntil(until, signal) {
      signal?.throwIfAborted();
      waits.push(until - now);
      now = Math.max(now, until);
    },
  };
}

const clock = leapingClock('2026-08-03T12:00:00Z');
const year = { from: '2025-07-31', to: '2026-07-31' };

describe('the simulated market as a provider', () => {
  test('gives each proxy as the ground truth has it', async () => {
    const provider = simulatedProvider({ clock, seed: 7 });
    const truth = simulatedProxies({ seed: 7, session: '2026-07-31' });
    for (const symbol of proxies) {
      const { bars, instrument } = await provider.history({ symbol, from: '2024-01-01', to: '2026-07-31' });
      expect(instrument.type).toBe('ETF');
      expect(bars.map((bar) => bar.date)).toEqual(truth.closes[symbol].dates);
      expect(bars.map((bar) => bar.adjustedClose)).toEqual(truth.closes[symbol].closes);
    }
  });

  test('is another market with another seed, and the same with the same', async () => {
    const closes = async (seed: number) =>
      (await simulatedProvider({ clock, seed }).history({ symbol: 'AAPL', ...year })).bars;
    expect(await closes(1)).toEqual(await closes(1));
    expect(await closes(1)).not.toEqual(await closes(2));
  });

  test('takes its latency on the injected clock, for every answer', async () => {
    const patient = leapingClock('2026-08-03T12:00:00Z');
    const provider = simulatedProvider({ clock: patient, latencyMs: 250, faults: parseFaults('IBM=500') });
    await provider.lookup(['AAPL', 'MSFT']);
    await provider.history({ symbol: 'AAPL', ...year });
    await expect(provider.history({ symbol: 'IBM', ...year })).rejects.toMatchObject({
      details: { status: 500 },
    });
    expect(patient.waits).toEqual([250, 250, 250]);
  });

  test('a throttled answer asks to wait as long as it is told to', async () => {
    const provider = simulatedProvider({ clock, throttleMs: 90_000, faults: parseFaults('TSLA=429') });
    await expect(provider.history({ symbol: 'TSLA', ...year })).rejects.toMatchObject({
      code: 'provider_throttled',
      retryAt: clock.now() + 90_000,
      message: 'the simulated market throttles requests until 2026-08-03T12:01:30Z',
    });
  });

  test('counts what it is asked, failures included', async () => {
    const provider = simulatedProvider({ clock, faults: parseFaults('AAPL=timeout:1') });
    await provider.lookup(['AAPL', 'MSFT']);
    await provider.history({ symbol: 'AAPL', ...year }).catch(() => {});
    await provider.history({ symbol: 'AAPL', ...year });
    await provider.history({ symbol: 'MSFT', ...year });
    expect(provider.requests()).toEqual({
      lookup: 1,
      history: 3,
      lookups: { AAPL: 1, MSFT: 1 },
      histories: { AAPL: 2, MSFT: 1 },
    });
  });

  test('a flat symbol is flat, and a currency pair is a currency', async () => {
    const provider = simulatedProvider({ clock });
    const { bars } = await provider.history({ symbol: 'FLAT', ...year });
    expect(new Set(bars.map((bar) => bar.close)).size).toBe(1);
    expect(await provider.lookup(['EURUSD=X', 'AAPL261218C00200000', 'GC=F'])).toMatchObject([
      { instrument: { type: 'CURRENCY' } },
      { instrument: { type: 'OPTION' } },
      { instrument: { type: 'FUTURE' } },
    ]);
  });
});
