import { pino } from 'pino';
import { type App, startApp } from '../../src/app.ts';
import { readConfig } from '../../src/config/config.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import type { History, MarketDataProvider } from '../../src/market/provider.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';

export interface OnboardingService {
  /** Uploads one portfolio with a lot of each symbol; milliseconds until all of them are completed. */
  onboard(symbols: readonly string[]): Promise<number>;
  close(): Promise<void>;
}

/** The whole service in this process, on a database that outlives it; uploads come over HTTP. */
export async function startOnboardingService(
  database: Database,
  settings: Record<string, string>,
  provider: MarketDataProvider,
): Promise<OnboardingService> {
  // Nobody shares the queue with this node.
  const alone = { ONBOARDING_PREFETCH: '50', REFRESH: 'off', PORT: '0' };
  const reading = readConfig({ MARKET_DATA: 'simulated', ...alone, ...settings });
  if ('problems' in reading) throw new Error(reading.problems.map(({ message }) => message).join('\n'));
  const app = await startApp(reading.config, {
    database: { ...database, close: async () => {} },
    provider,
    logger: pino({ level: 'warn' }),
  });
  return { onboard: (symbols) => onboard(app, symbols), close: () => app.close() };
}

async function onboard(app: App, symbols: readonly string[]): Promise<number> {
  const waiting = new Set(symbols);
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const { close } = app.service.feed.subscribe((entry) => {
    if (entry.type !== 'transition') return;
    const { symbol, to } = entry;
    if (to === 'failed') reject(new Error(`expected ${symbol} to complete, got: failed`));
    if (to === 'completed' && waiting.delete(symbol) && waiting.size === 0) resolve();
  });
  const rows = symbols.map((symbol) => `${symbol},10,100,2025-01-02`);
  const body = ['Symbol,Quantity,Entry Price Per Share,Entry Date', ...rows].join('\n');
  const begun = performance.now();
  const headers = { 'content-type': 'text/csv' };
  const { status } = await fetch(`${app.url}/portfolios?name=bench`, { method: 'POST', body, headers });
  if (status !== 202) throw new Error(`expected 202, got: ${status}`);
  await ended;
  const tookMs = performance.now() - begun;
  close();
  return tookMs;
}

/** The simulated market, computed once per symbol: from then on it answers after `delayMs`, or at once. */
export function preparedProvider({ delayMs = 0 }: { delayMs?: number } = {}): MarketDataProvider {
  const market = simulatedProvider({ clock: systemClock });
  const known = new Map<string, Promise<History>>();
  return {
    name: market.name,
    lookup: (symbols, options) => market.lookup(symbols, options),
    async history({ signal: _, ...request }) {
      const key = `${request.symbol} ${request.from} ${request.to}`;
      const answer = known.get(key) ?? market.history(request);
      known.set(key, answer);
      if (delayMs > 0) await systemClock.sleepUntil(systemClock.now() + delayMs);
      return answer;
    },
  };
}
