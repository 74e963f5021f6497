import { stat } from 'node:fs/promises';
import type { Config } from './config/config.ts';
import type { Clock } from './kernel/clock.ts';
import { AppError } from './kernel/errors.ts';
import { filesProvider } from './market/files/files.provider.ts';
import type { MarketDataProvider, ProviderName } from './market/provider.ts';
import { withFallback } from './market/provider-fallback.ts';
import { type Gate, providerGate } from './market/provider-gate.client.ts';
import { type CountingProvider, countRequests } from './market/request-counts.ts';
import { simulatedProvider } from './market/simulated/simulated.provider.ts';
import { yahooProvider } from './market/yahoo/yahoo.provider.ts';
import { observeCall, observeFallback } from './metrics/observed-service.ts';
import type { Metrics } from './metrics/registry.metrics.ts';
import { observeProvider } from './trace-context.ts';

/** The configured providers, in order, and the gate to the external one; the gate is null where none is external. */
export function configuredProviders(
  config: Config,
  clock: Clock,
  calendar: () => readonly string[] | undefined = () => undefined,
): { sources: MarketDataProvider[]; gate: Gate | null } {
  const { providers, simulated, yahooBaseUrl, directory } = config.marketData;
  const gate = providers.includes('yahoo') ? providerGate({ clock, ...config.provider }) : null;
  const observe = observeProvider;
  const make: Record<ProviderName, () => MarketDataProvider> = {
    yahoo: () => yahooProvider({ clock, gate: gate!, baseUrl: yahooBaseUrl ?? undefined, calendar, observe }),
    files: () => filesProvider({ directory: directory!, clock, calendar, observe }),
    simulated: () => simulatedProvider({ clock, ...simulated, observe }),
  };
  return { sources: providers.map((name) => make[name]()), gate };
}

export interface MarketData {
  /** All sources as one provider, tried in order. */
  provider: CountingProvider;
  sources: readonly MarketDataProvider[];
  /** Limiter and breaker of the external provider; null where none is configured. */
  gate: Gate | null;
  /** The dates on which New York was open. Until the proxies are loaded, every weekday counts as open. */
  calendar: { learn(dates: readonly string[]): void };
}

/** Market data as configured, counted and timed. Tests pass a provider of their own. */
export async function openMarketData(
  config: Config,
  { clock, metrics, own }: { clock: Clock; metrics: Metrics; own: MarketDataProvider | undefined },
): Promise<MarketData> {
  if (!own) await assertDirectory(config);
  let dates: readonly string[] | undefined;
  const calendar = {
    learn: (known: readonly string[]) => {
      dates = known;
    },
  };
  const { sources, gate } = own
    ? { sources: [own], gate: null }
    : configuredProviders(config, clock, () => dates);
  const counted = sources.map((source) =>
    countRequests(source, { clock, onCall: (call) => observeCall(metrics, source.name, call) }),
  );
  const fallback = { clock, observe: observeProvider, onFallback: observeFallback(metrics) };
  return { provider: countRequests(withFallback(counted, fallback)), sources: counted, gate, calendar };
}

/** Fails at the start on a mistyped path, instead of at the first job. */
async function assertDirectory({ marketData: { directory } }: Config): Promise<void> {
  if (directory === null) return;
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => error);
  if (!(found instanceof Error) && found.isDirectory()) return;
  const why = found instanceof Error ? found.code : 'a file';
  throw new AppError(
    'market_data_unusable',
    `Expected MARKET_DATA_DIR to be a directory of price files, got: ${directory} (${why})`,
    { cause: found },
  );
}
