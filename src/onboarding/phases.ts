import type { Phase, PhaseInput, PhaseOutput } from '../../machines/protocol.ts';
import type { Clock } from '../clock.ts';
import type { Database } from '../database.ts';
import { AppError } from '../errors.ts';
import type { DefaultReason, Exposure, ProxySet } from '../factors/catalog.ts';
import type { ExposureStore } from '../factors/exposure.store.ts';
import {
  computeExposures,
  defaultExposures,
  hasExposures,
  isPartial,
  worstQuality,
} from '../factors/exposures.ts';
import type { PriceStore } from '../market/price.store.ts';
import type { MarketDataProvider } from '../market/provider.ts';
import type { ProxySource } from '../market/proxies.ts';
import { rateSlackDays } from '../market/rates.ts';
import {
  addDays,
  historyRange,
  lastCompletedSession,
  lastNewYorkSession,
  localDate,
  sessionHours,
} from '../market/sessions.ts';
import type { SnapshotStore } from '../portfolio/snapshot.store.ts';
import type { UniverseStore } from '../universe/universe.store.ts';
import { effectsOn } from './effects.ts';
import type { Fence } from './ports.ts';
import type { TogetherOptions } from './together.ts';
import type { UpkeepStore } from './upkeep.store.ts';

export interface PhasePorts {
  database: Database;
  provider: Pick<MarketDataProvider, 'history'>;
  proxies: ProxySource;
  prices: PriceStore;
  exposures: ExposureStore;
  universe: UniverseStore;
  snapshots: SnapshotStore;
  /** Has exchange rates onboarded that lots of a symbol turn out to need. */
  requestRates: UpkeepStore['requestRates'];
  /** Takes the symbol into this node's memory. */
  warm: (symbol: string) => Promise<void>;
  fence: Fence;
  together: TogetherOptions;
  clock: Clock;
  /** Portfolios per snapshot transaction. */
  snapshotBatch: number;
  log: (error: unknown) => void;
}

interface Ports extends PhasePorts {
  effects: ReturnType<typeof effectsOn>;
}

export type PhaseWork = (input: PhaseInput, signal: AbortSignal) => Promise<PhaseOutput>;

/**
 * What each phase does, once its transition is durable. Each one is idempotent, and each transaction ends with the
 * fence: whoever lost the claim writes nothing.
 */
export function phaseWork(given: PhasePorts): Record<Phase, PhaseWork> {
  const ports = { ...given, effects: effectsOn(given) };
  return {
    fetch: (input, signal) => fetchPrices(ports, input, signal),
    factors: (input, signal) => measureFactors(ports, input, signal),
    universe: (input) => enterUniverse(ports, input),
    snapshot: (input, signal) => updateSnapshots(ports, input, signal),
    cache: (input) => warmCache(ports, input),
  };
}

async function fetchPrices(
  { provider, universe, proxies, effects, clock }: Ports,
  { claim, results }: PhaseInput,
  signal: AbortSignal,
): Promise<PhaseOutput> {
  // The prices were stored, and the process died before that was journaled: they are not asked for again.
  if (typeof results.bars === 'number') return { results };
  const { symbol } = claim;
  const [known, { held, rated }] = await Promise.all([
    universe.instrument(symbol),
    universe.neededSince(symbol),
  ]);
  const now = clock.now();
  // Without a time zone UTC's date is asked for: no exchange completes a session of a later one.
  const session = known ? lastCompletedSession({ now, ...sessionHours(known) }) : localDate(now, 'UTC');
  const range = historyRange(session);
  // A rate has to reach back to every cost that it converts; of anything else the year will do, but for its splits.
  const from = earliest(range.from, rated && addDays(rated, -rateSlackDays));
  const actionsFrom = earliest(from, held);
  const { instrument, bars, actions, ...given } = await provider.history({
    ...{ symbol, to: range.to, from, signal },
    ...(actionsFrom < from && { actionsFrom }),
  });
  signal.throwIfAborted();
  const last = bars.at(-1)!;
  const fetched = {
    provider: given.provider,
    bars: bars.length,
    firstDate: bars[0]!.date,
    lastDate: last.date,
    lastClose: last.close,
    // Kept with the transition that begins the factors phase: the version that this has to keep to.
    ...(hasExposures(instrument.type) && { proxyVersion: proxies.currentVersion() }),
  };
  await effects.keepSeries({
    claim,
    instrument: { ...instrument, symbol },
    provider: given.provider,
    series: { symbol, bars, actions, actionsFrom },
    results: fetched,
  });
  return { results: fetched };
}

const earliest = (day: string, other: string | null): string => (other !== null && other < day ? other : day);

async function measureFactors(ports: Ports, input: PhaseInput, signal: AbortSignal): Promise<PhaseOutput> {
  const { symbol } = input.claim;
  const [instrument, closes] = await Promise.all([
    ports.universe.instrument(symbol),
    ports.prices.closes(symbol),
  ]);
  if (instrument && !hasExposures(instrument.type)) {
    const qualityReason = instrument.type.toLowerCase();
    return { results: { quality: 'not_applicable', qualityReason, calculationDate: null } };
  }
  const lastClose = closes.dates.at(-1);
  if (!lastClose) throw new AppError('no_price_data', `${symbol} has no stored prices to measure.`);
  const placeholders = (reason: DefaultReason) => defaultExposures({ reason, windowEnd: lastClose });
  if (input.degraded)
    return storeExposures(ports, input, placeholders(input.degraded as DefaultReason), null);

  const set = await proxySetFor(ports, input);
  if (!set) return storeExposures(ports, input, placeholders('reference_unavailable'), null);
  signal.throwIfAborted();
  return storeExposures(ports, input, measured(), set.version);

  function measured(): Exposure[] {
    try {
      return computeExposures({ symbol: closes, proxies: set!, ...(instrument && { instrument }) });
    } catch (error) {
      ports.log(error);
      return placeholders('calculation_failed');
    }
  }
}

// A failure that may pass is the machine's business: it retries, and only then has defaults stored.
async function proxySetFor(
  { proxies, fence, database, log }: PhasePorts,
  { claim, results }: PhaseInput,
): Promise<ProxySet | null> {
  try {
    const begun =
      typeof results.proxyVersion === 'string' ? await proxies.version(results.proxyVersion) : null;
    if (begun) return begun;
    const current = await proxies.current();
    const pinned = await database.transaction((on) =>
      fence.pin(claim, 'proxyVersion', current.version, { on }),
    );
    return pinned === current.version ? current : ((await proxies.version(pinned)) ?? current);
  } catch (error) {
    if (!(error instanceof AppError) || error.retryable || error.code === 'claim_lost') throw error;
    log(error);
    return null;
  }
}

async function storeExposures(
  { effects }: Ports,
  { claim }: PhaseInput,
  rows: Exposure[],
  proxyVersion: string | null,
): Promise<PhaseOutput> {
  const calculationDate = rows
    .map(({ windowEnd }) => windowEnd)
    .filter((date) => date !== null)
    .sort()
    .at(-1)!;
  const set = { symbol: claim.symbol, calculationDate, proxyVersion, exposures: rows };
  await effects.keepExposures({ claim, set });
  const reason = rows.find(({ quality }) => quality === 'default')?.reason ?? null;
  return {
    results: { quality: worstQuality(rows), qualityReason: reason, calculationDate },
    partial: isPartial(rows),
  };
}

async function enterUniverse({ effects }: Ports, { claim, results }: PhaseInput): Promise<PhaseOutput> {
  const entry = {
    symbol: claim.symbol,
    quality: String(results.quality),
    reason: results.qualityReason === null ? null : String(results.qualityReason),
    calculationDate: results.calculationDate === null ? null : String(results.calculationDate),
  };
  await effects.enterUniverse({ claim, entry });
  return { results: {} };
}

async function updateSnapshots(
  { effects, requestRates, clock }: Ports,
  { claim }: PhaseInput,
  signal: AbortSignal,
): Promise<PhaseOutput> {
  const session = lastNewYorkSession(clock.now());
  const lacking = new Set<string>();
  let portfolios = 0;
  for (let update = effects.updateSnapshots; ; update = effects.updateMoreSnapshots) {
    signal.throwIfAborted();
    const batch = await update({ claim, session });
    portfolios += batch.portfolios;
    for (const symbol of batch.lacking) if (symbol !== claim.symbol) lacking.add(symbol);
    if (batch.isLast) break;
  }
  // Before this job ends, so that no portfolio looks settled in between.
  if (lacking.size > 0) await requestRates([...lacking].sort(), { session });
  return { results: { portfolios } };
}

async function warmCache({ warm }: PhasePorts, { claim }: PhaseInput): Promise<PhaseOutput> {
  await warm(claim.symbol);
  return { results: {} };
}
