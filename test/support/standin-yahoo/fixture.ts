import type { MarketDataProvider } from '../../../src/market/provider.ts';
import { type GateOptions, providerGate } from '../../../src/market/provider-gate.client.ts';
import { type YahooProviderOptions, yahooProvider } from '../../../src/market/yahoo/yahoo.provider.ts';
import { type Recording, type StandinOptions, type StandinYahoo, startStandinYahoo } from './server.ts';

/** Friday 2026-07-31, 18:00 in New York: the session is complete. */
export const now = Date.parse('2026-07-31T22:00:00Z');
export const year = { from: '2025-07-31', to: '2026-07-31' };

/** Stands at `now`; deadlines never pass. */
export const patient = {
  now: () => now,
  sleepUntil: (_: number, signal?: AbortSignal) =>
    new Promise<void>((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
    }),
};

const running: StandinYahoo[] = [];

/** A provider in front of a stand-in of its own; `stopAll` belongs into `afterEach`. */
export async function started(
  options: StandinOptions = {},
  more: Partial<YahooProviderOptions & GateOptions> = {},
): Promise<{ yahoo: StandinYahoo; provider: MarketDataProvider }> {
  const { clock = patient } = more;
  const yahoo = await startStandinYahoo({ seed: 1, now: () => now, ...options });
  running.push(yahoo);
  return {
    yahoo,
    provider: yahooProvider({ clock, gate: providerGate({ clock, ...more }), baseUrl: yahoo.url, ...more }),
  };
}

export async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((yahoo) => yahoo.close()));
}

/** Host and decoded path of the logged requests, without their queries. */
export function paths(yahoo: StandinYahoo): string[] {
  return yahoo.requests().map(({ host, path }) => `${host}${decodeURIComponent(path).split('?')[0]}`);
}

/** The provider, as of an instant, in front of a server that answers as recorded. */
export async function replayed(
  recordings: Recording[],
  at = '2025-02-25T00:00:00Z',
  more: Partial<YahooProviderOptions> = {},
): Promise<MarketDataProvider> {
  const clock = { ...patient, now: () => Date.parse(at) };
  const { provider } = await started({ recordings, now: clock.now }, { clock, ...more });
  return provider;
}
