import type { Phase, PhaseInput, PhaseOutput } from '../../machines/protocol.ts';
import type { Database } from '../database/database.orm.ts';
import {
  computeExposures,
  defaultExposures,
  hasExposures,
  isPartial,
  worstQuality,
} from '../factors/compute-exposures.ts';
import type { ExposureStore } from '../factors/exposure.store.ts';
import type { DefaultReason, Exposure } from '../factors/factor-catalog.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { PriceStore } from '../market/price.store.ts';
import type { Instrument, MarketDataProvider } from '../market/provider.ts';
import type { DailyCloses, ProxySet } from '../market/proxy-set.ts';
import type { ProxySource } from '../market/proxy-source.ts';
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
import type { Effect, Fence, SnapshotProgress } from './job/ports.ts';
import type { phaseWrites } from './journal/phase-writes.ts';
import { type Handover, handover } from './phase-handover.ts';
import type { UpkeepStore } from './refresh/refresh.store.ts';

export interface PhasePorts {
  database: Database;
  provider: Pick<MarketDataProvider, 'history'>;
  proxies: ProxySource;
  prices: PriceStore;
  exposures: ExposureStore;
  universe: UniverseStore;
  snapshots: SnapshotStore;
  /** Onboards exchange rates that lots of a symbol need and that are missing. */
  requestRates: UpkeepStore['requestRates'];
  /** Removes the symbol from this node's cache. */
  forget: (symbol: string) => void;
  fence: Fence;
  effects: Pick<ReturnType<typeof phaseWrites>, 'updateMoreSnapshots'>;
  clock: Clock;
  log: (error: unknown) => void;
}

/** How a phase takes part in the commits of its job. */
export interface Commits {
  /** Resolves once every transition of the job so far is durable. */
  durable(): Promise<void>;
  /** Commits an effect in one transaction with the transition that started the phase, or after it. */
  write(effect: Effect): Promise<SnapshotProgress | undefined>;
  /** Commits an effect together with the transition that completes the phase. */
  stage(effect: Effect): void;
}

export type PhaseWork = (input: PhaseInput, signal: AbortSignal, commits: Commits) => Promise<PhaseOutput>;

/**
 * What each phase does. Every phase is idempotent.
 *
 * Write-ahead: the transition that starts a phase is durable before the phase sends a request or reads what an earlier
 * phase wrote. A phase's writes are committed with a transition, under its fencing token, so a node that lost the claim
 * writes nothing. A phase that has everything in memory does not wait: its transitions share the next group commit.
 */
export function phaseWork(given: PhasePorts): Record<Phase, PhaseWork> {
  const ports = { ...given, fetched: handover<Fetched>() };
  return {
    fetch: (...phase) => fetchPrices(ports, ...phase),
    factors: (...phase) => measureFactors(ports, ...phase),
    universe: (...phase) => enterUniverse(ports, ...phase),
    snapshot: (...phase) => updateSnapshots(ports, ...phase),
    cache: (input) => fillCache(ports, input),
  };
}

interface Ports extends PhasePorts {
  fetched: Handover<Fetched>;
}

/** The part of the fetched data that the factors phase needs. */
interface Fetched {
  instrument: Instrument | null;
  closes: DailyCloses;
}

async function fetchPrices(
  { provider, universe, proxies, fetched, clock }: Ports,
  { claim }: PhaseInput,
  signal: AbortSignal,
  commits: Commits,
): Promise<PhaseOutput> {
  const { symbol } = claim;
  const [{ instrument: known, held, rated }] = await Promise.all([universe.known(symbol), commits.durable()]);
  signal.throwIfAborted();
  const now = clock.now();
  // Without a time zone, use the date in UTC: no exchange has completed a session with a later date.
  const session = known ? lastCompletedSession({ now, ...sessionHours(known) }) : localDate(now, 'UTC');
  const range = historyRange(session);
  // An exchange rate must cover the date of every cost that it converts. Other symbols need one year of prices, but all
  // splits since the oldest lot.
  const from = earliest(range.from, rated && addDays(rated, -rateSlackDays));
  const actionsFrom = earliest(from, held);
  const { bars, actions, ...answer } = await provider.history({
    ...{ symbol, to: range.to, from, currency: known?.currency ?? null, signal },
    ...(actionsFrom < from && { actionsFrom }),
  });
  signal.throwIfAborted();
  const last = bars.at(-1)!;
  const instrument = { ...answer.instrument, symbol };
  const results = {
    provider: answer.provider,
    bars: bars.length,
    firstDate: bars[0]!.date,
    lastDate: last.date,
    lastClose: last.close,
    // Stored with the transition that starts the factors phase: it pins the proxy version for that phase.
    ...(hasExposures(instrument.type) && { proxyVersion: proxies.currentVersion() }),
  };
  commits.stage({
    kind: 'series',
    instrument,
    provider: answer.provider,
    series: { symbol, bars, actions, actionsFrom },
  });
  fetched.give(claim, {
    instrument,
    closes: {
      dates: bars.map(({ date }) => date),
      closes: bars.map(({ adjustedClose }) => adjustedClose),
    },
  });
  return { results };
}

const earliest = (day: string, other: string | null): string => (other !== null && other < day ? other : day);

async function readBack(
  { universe, prices }: Ports,
  symbol: string,
  signal: AbortSignal,
  commits: Commits,
): Promise<Fetched> {
  await commits.durable();
  signal.throwIfAborted();
  const [{ instrument }, closes] = await Promise.all([universe.known(symbol), prices.closes(symbol)]);
  return { instrument, closes };
}

async function measureFactors(
  ports: Ports,
  input: PhaseInput,
  signal: AbortSignal,
  commits: Commits,
): Promise<PhaseOutput> {
  const { symbol } = input.claim;
  const { instrument, closes } =
    ports.fetched.take(input.claim) ?? (await readBack(ports, symbol, signal, commits));
  if (instrument && !hasExposures(instrument.type)) {
    const qualityReason = instrument.type.toLowerCase();
    return { results: { quality: 'not_applicable', qualityReason, calculationDate: null } };
  }
  const lastClose = closes.dates.at(-1);
  if (!lastClose) throw new AppError('no_price_data', `${symbol} has no stored prices.`);
  const placeholders = (reason: DefaultReason) => defaultExposures({ reason, windowEnd: lastClose });
  if (input.degraded)
    return storeExposures(commits, symbol, placeholders(input.degraded as DefaultReason), null);

  const set = await proxySetFor(ports, input, signal, commits);
  if (!set) return storeExposures(commits, symbol, placeholders('reference_unavailable'), null);
  signal.throwIfAborted();
  return storeExposures(commits, symbol, measured(), set.version);

  function measured(): Exposure[] {
    try {
      return computeExposures({ symbol: closes, proxies: set!, ...(instrument && { instrument }) });
    } catch (error) {
      ports.log(error);
      return placeholders('calculation_failed');
    }
  }
}

// Retryable failures are thrown to the machine. It retries, and stores defaults when the attempts are used up.
async function proxySetFor(
  { proxies, fence, database, log }: PhasePorts,
  { claim, results }: PhaseInput,
  signal: AbortSignal,
  commits: Commits,
): Promise<ProxySet | null> {
  const version = typeof results.proxyVersion === 'string' ? results.proxyVersion : null;
  const inMemory = version && proxies.inMemory(version);
  if (inMemory) return inMemory;
  await commits.durable();
  signal.throwIfAborted();
  try {
    const begun = version && (await proxies.version(version));
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

function storeExposures(
  commits: Commits,
  symbol: string,
  rows: Exposure[],
  proxyVersion: string | null,
): PhaseOutput {
  const calculationDate = rows
    .map(({ windowEnd }) => windowEnd)
    .filter((date) => date !== null)
    .sort()
    .at(-1)!;
  commits.stage({ kind: 'exposures', set: { symbol, calculationDate, proxyVersion, exposures: rows } });
  const reason = rows.find(({ quality }) => quality === 'default')?.reason ?? null;
  return {
    results: { quality: worstQuality(rows), qualityReason: reason, calculationDate },
    partial: isPartial(rows),
  };
}

async function enterUniverse(
  _ports: PhasePorts,
  { claim, results }: PhaseInput,
  _signal: AbortSignal,
  commits: Commits,
): Promise<PhaseOutput> {
  const entry = {
    symbol: claim.symbol,
    quality: String(results.quality),
    reason: results.qualityReason === null ? null : String(results.qualityReason),
    calculationDate: results.calculationDate === null ? null : String(results.calculationDate),
  };
  await commits.write({ kind: 'membership', entry });
  return { results: {} };
}

async function updateSnapshots(
  { effects, requestRates, clock }: PhasePorts,
  { claim }: PhaseInput,
  signal: AbortSignal,
  commits: Commits,
): Promise<PhaseOutput> {
  const session = lastNewYorkSession(clock.now());
  const effect = { kind: 'snapshots', session } as const;
  const lacking = new Set<string>();
  let portfolios = 0;
  for (
    let batch = await commits.write(effect);
    batch;
    batch = await effects.updateMoreSnapshots({ claim, effect })
  ) {
    portfolios += batch.portfolios;
    for (const symbol of batch.lacking) if (symbol !== claim.symbol) lacking.add(symbol);
    if (batch.isLast) break;
    signal.throwIfAborted();
  }
  // Request them before this job ends, so that no portfolio looks complete in between.
  if (lacking.size > 0) await requestRates([...lacking].sort(), { session });
  return { results: { portfolios } };
}

// Removes what the cache knew before this job. The cache is filled only from the committed feed: each node reads the
// symbol when it receives the end of this job, because the symbol is not ready earlier.
async function fillCache({ forget }: PhasePorts, { claim }: PhaseInput): Promise<PhaseOutput> {
  forget(claim.symbol);
  return { results: {} };
}
