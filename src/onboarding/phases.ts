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
import type { effectsOn } from './journal/phase-writes.ts';
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
  /** Has exchange rates onboarded that lots of a symbol turn out to need. */
  requestRates: UpkeepStore['requestRates'];
  /** Drops what this node remembers of the symbol. */
  forget: (symbol: string) => void;
  fence: Fence;
  effects: Pick<ReturnType<typeof effectsOn>, 'updateMoreSnapshots'>;
  clock: Clock;
  log: (error: unknown) => void;
}

/** How a phase takes part in the commits of its job. */
export interface Commits {
  /** Resolves once every transition of the job so far is durable. */
  durable(): Promise<void>;
  /** Commits an effect in one transaction with the transition that began the phase, or behind it. */
  write(effect: Effect): Promise<SnapshotProgress | undefined>;
  /** Has an effect committed with the transition that completes the phase. */
  leave(effect: Effect): void;
}

export type PhaseWork = (input: PhaseInput, signal: AbortSignal, commits: Commits) => Promise<PhaseOutput>;

/**
 * What each phase does. Each one is idempotent. Nothing leaves this process and nothing is read that an earlier phase
 * wrote before the transition that began the phase is durable; what a phase writes is committed with a transition, so
 * that whoever lost the claim writes nothing. A phase that has all it needs in memory waits for nothing: its
 * transitions share the next commit.
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

/** What the factors phase needs of what was fetched. */
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
  // Without a time zone UTC's date is asked for: no exchange completes a session of a later one.
  const session = known ? lastCompletedSession({ now, ...sessionHours(known) }) : localDate(now, 'UTC');
  const range = historyRange(session);
  // A rate has to reach back to every cost that it converts; of anything else the year will do, but for its splits.
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
    // Kept with the transition that begins the factors phase: the version that this has to keep to.
    ...(hasExposures(instrument.type) && { proxyVersion: proxies.currentVersion() }),
  };
  commits.leave({
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
  if (!lastClose) throw new AppError('no_price_data', `${symbol} has no stored prices to measure.`);
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

// A failure that may pass is the machine's business: it retries, and only then has defaults stored.
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
  commits.leave({ kind: 'exposures', set: { symbol, calculationDate, proxyVersion, exposures: rows } });
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
  // Before this job ends, so that no portfolio looks settled in between.
  if (lacking.size > 0) await requestRates([...lacking].sort(), { session });
  return { results: { portfolios } };
}

// What was true before this job is told no more. The cache learns only from the committed feed: every node reads the
// symbol anew when it hears of the end of this job, and not before, because until then nothing of it is ready.
async function fillCache({ forget }: PhasePorts, { claim }: PhaseInput): Promise<PhaseOutput> {
  forget(claim.symbol);
  return { results: {} };
}
