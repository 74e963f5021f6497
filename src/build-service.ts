import type { SnapshotFrom } from 'xstate';
import { isUnfinished } from '../machines/protocol.ts';
import type { supervisorMachine } from '../machines/supervisor.ts';
import { ticketStore } from './api/access/ticket.store.ts';
import type { Config } from './config/config.ts';
import type { OverviewView } from './contract/schemas.ts';
import type { Service } from './contract/service.ts';
import type { Database } from './database/database.orm.ts';
import { readiness } from './health/readiness.ts';
import type { Clock } from './kernel/clock.ts';
import type { LoopHealths } from './kernel/loop-health.ts';
import { normaliseSymbol } from './market/normalise-symbol.ts';
import type { Gate } from './market/provider-gate.client.ts';
import type { Verify } from './market/remembered-verdicts.ts';
import { lastNewYorkSession } from './market/sessions.ts';
import type { AdmissionStore } from './onboarding/admission/admission.store.ts';
import type { OperationsStore } from './onboarding/admission/operator-requests.store.ts';
import { drainSeconds, retryAfterSeconds } from './onboarding/admission/retry-after.ts';
import type { CeilingStore } from './onboarding/claims/cluster-ceiling.store.ts';
import type { TransitionFeed } from './onboarding/feed/transition.feed.ts';
import { actorQueries } from './onboarding/queries/actor.query.ts';
import type { LiveActors } from './onboarding/queries/actor-views.ts';
import type { JobQueries } from './onboarding/queries/job.query.ts';
import type { Upkeep } from './onboarding/refresh/refresh.ts';
import { portfolioQueries } from './portfolio/portfolio.query.ts';
import type { PortfolioStore } from './portfolio/portfolio.store.ts';
import { portfolioExposuresQuery } from './portfolio/portfolio-exposures.query.ts';
import { portfolioListQuery } from './portfolio/portfolio-list.query.ts';
import { rateQuery } from './portfolio/rate.query.ts';
import type { SnapshotStore } from './portfolio/snapshot.store.ts';
import type { SymbolQueries } from './universe/symbol.query.ts';
import type { SymbolCache } from './universe/symbol-cache.ts';
import { statusIn } from './universe/symbol-status.ts';
import type { UniverseStore } from './universe/universe.store.ts';
import { dryRun } from './upload/dry-run.ts';
import type { IdempotencyStore } from './upload/idempotency.store.ts';
import { onboardSymbol } from './upload/onboard-symbol.ts';
import { uploadOnce } from './upload/upload-once.ts';
import { uploadPortfolio } from './upload/upload-portfolio.ts';

export interface ServiceParts {
  config: Config;
  database: Database;
  nodeName: string;
  clock: Clock;
  admission: AdmissionStore;
  operations: OperationsStore;
  upkeep: Pick<Upkeep, 'progress'>;
  universe: UniverseStore;
  snapshots: SnapshotStore;
  portfolios: PortfolioStore;
  keys: IdempotencyStore;
  queries: JobQueries;
  symbols: SymbolQueries;
  cache: SymbolCache;
  gate: Gate | null;
  /** Reads a symbol's status into the cache. */
  warm: (symbol: string) => Promise<void>;
  feed: TransitionFeed;
  feedStates: Pick<Service['feed'], 'state' | 'replay'>;
  loops: LoopHealths;
  supervisor: () => SnapshotFrom<typeof supervisorMachine>;
  ceiling: CeilingStore | null;
  lastTransition: LiveActors['lastTransition'];
  inspection: Service['inspection'];
  /** Sends itself a notification over the connection that listens for work. */
  echo: () => Promise<void>;
  measurements: Service['measurements'];
  verify: Verify;
  newId: () => string;
  diagnosis: Service['diagnosis'];
  /** Logs failures of background work. */
  log: (error: unknown) => void;
}

/** Builds the service that the HTTP routes call from the parts of all features. */
export function buildService(parts: ServiceParts): Service {
  const { config, database, clock, queries, symbols } = parts;
  const session = () => lastNewYorkSession(clock.now());
  const reads = portfolioQueries(database, { statuses: symbols.statuses, session });
  const overview = () => overviewOf(parts);
  const retryAfter = async () => retryAfterSeconds(await queries.totals(), config.supervisor);
  const { admit, unfinished } = parts.admission;
  const admitting = {
    ...parts,
    admit,
    unfinished,
    retryAfterSeconds: retryAfter,
    rates: rateQuery(database),
    priceMaxAgeDays: config.priceMaxAgeDays,
    unverifiable: config.unverifiable,
  };
  const upload = { ...admitting, depthMax: config.supervisor.depth };
  return {
    portfolios: {
      upload: (input, { key }) =>
        key === undefined ? uploadPortfolio(upload, input) : uploadOnce(upload, input, key),
      dryRun: (input) => dryRun(upload, input),
      remove: (id, { name, role }) =>
        parts.portfolios.remove(id, { owner: role === 'operator' ? null : name }),
      ...portfolioListQuery(database),
      ...portfolioExposuresQuery(database),
      ...reads,
    },
    symbols: {
      status: (symbol) => statusOf(parts, symbol),
      remembered(raw) {
        const written = parts.cache.get(raw);
        if (written) return written; // most symbols arrive in the provider's spelling and need no normalising
        const { symbol } = normaliseSymbol(raw);
        return symbol === null ? undefined : parts.cache.get(symbol);
      },
      statuses: (raws) => statusesOf(parts, raws),
      search: symbols.search,
      async onboard(raw, { name }) {
        const answer = await onboardSymbol(admitting, { raw, requestedBy: name });
        if (answer.kind !== 'ready' && answer.kind !== 'admitted') return answer;
        // Not from the cache, which gets the new job only through the feed.
        const [view] = await symbols.statuses([answer.symbol]);
        return { ...answer, view: view! };
      },
      profile: (symbol) => known(symbol, symbols.profile),
      prices: (symbol, range) => known(symbol, (name) => symbols.prices(name, range)),
      exposures: (symbol, query) => known(symbol, (name) => symbols.exposures(name, query)),
    },
    onboarding: {
      overview,
      async jobs(query, viewer) {
        if (query.symbol === undefined) return queries.list(query, viewer);
        const { symbol } = normaliseSymbol(query.symbol);
        return symbol === null ? { jobs: [], next_cursor: null } : queries.list({ ...query, symbol }, viewer);
      },
      job: (id) => queries.find(id),
    },
    inspection: parts.inspection,
    actors: actorQueries(database, () => ({
      node: parts.nodeName,
      supervisor: parts.supervisor(),
      lastTransition: parts.lastTransition,
    })),
    operations: operationsOf(parts, retryAfter),
    feed: {
      ...parts.feedStates,
      subscribe: parts.feed.subscribe,
      reached: parts.feed.reached,
      onEnd: (listener) =>
        parts.feed.subscribe((entry) => {
          if (entry.type === 'transition' && !isUnfinished(entry.status)) listener(entry.symbol);
        }).close,
    },
    diagnosis: parts.diagnosis,
    health: { ready: readiness(parts) },
    measurements: parts.measurements,
    tickets: ticketStore(database),
  };
}

async function known<T>(symbol: string, read: (normalised: string) => Promise<T | null>): Promise<T | null> {
  const normalised = normaliseSymbol(symbol).symbol;
  return normalised === null ? null : read(normalised);
}

async function statusOf({ symbols, cache, warm, config }: ServiceParts, raw: string) {
  const { symbol } = normaliseSymbol(raw);
  if (symbol === null) return statusIn(raw, null, config.job);
  const remembered = cache.get(symbol);
  if (remembered) return remembered;
  const [status] = await symbols.statuses([symbol]);
  if (status!.status === 'ready') await warm(symbol);
  return status!;
}

async function statusesOf({ symbols, cache, config }: ServiceParts, raws: readonly string[]) {
  const named = new Map(
    raws.map((raw) => {
      const { symbol } = normaliseSymbol(raw);
      return [symbol ?? raw, symbol];
    }),
  );
  const wanted = [...named.values()].filter((symbol) => symbol !== null);
  const remembered = new Map(wanted.map((symbol) => [symbol, cache.get(symbol)]));
  const read = await symbols.statuses(wanted.filter((symbol) => !remembered.get(symbol)));
  const fresh = new Map(read.map((status) => [status.symbol, status]));
  return [...named].map(([name, symbol]) =>
    symbol === null ? statusIn(name, null, config.job) : (remembered.get(symbol) ?? fresh.get(symbol)!),
  );
}

function operationsOf(parts: ServiceParts, retryAfter: () => Promise<number>): Service['operations'] {
  const { operations, queries } = parts;
  return {
    async retry(id) {
      const answer = await operations.retry(id);
      switch (answer.kind) {
        case 'retried':
          return { kind: 'retried', job: (await queries.find(id))! };
        case 'symbol_busy':
          return { kind: 'symbol_busy', job_id: answer.jobId };
        case 'queue_full':
          return { ...answer, needed: 1, retry_after_seconds: await retryAfter() };
        default:
          return answer;
      }
    },
    async cancel(id) {
      const answer = await operations.cancel(id);
      if (answer.kind !== 'cancelled' && answer.kind !== 'requested') return answer;
      return { kind: answer.kind, symbol: (await queries.find(id))!.symbol };
    },
    async setPaused(paused) {
      await operations.setPaused(paused);
      return overviewOf(parts);
    },
  };
}

async function overviewOf({
  config,
  nodeName,
  queries,
  supervisor,
  ceiling,
  gate,
  upkeep,
}: ServiceParts): Promise<OverviewView> {
  const measured = await queries.totals();
  const { meanRunSeconds: _, ...totals } = measured;
  const { depth, concurrency, clusterConcurrency, prefetch } = config.supervisor;
  const { providers } = config.marketData;
  return {
    ...totals,
    running: supervisor().context.permits.length,
    cluster_running: ceiling ? await ceiling.inUse() : null,
    limits: { depth, concurrency, cluster_concurrency: clusterConcurrency, prefetch },
    estimated_drain_seconds: drainSeconds(measured, config.supervisor),
    refresh: { enabled: config.refresh, ...(await upkeep.progress()) },
    node: nodeName,
    market_data: { providers, simulated: providers.includes('simulated'), ...gateView(gate) },
  };
}

function gateView(gate: Gate | null): Pick<OverviewView['market_data'], 'breaker' | 'limiter'> {
  if (gate === null) return { breaker: null, limiter: null };
  const { breaker, limiter } = gate.view();
  const { state, until, failures } = breaker;
  const { concurrency, intervalMs, running, waiting } = limiter;
  return {
    breaker: { state, until: until === null ? null : new Date(until).toISOString(), failures },
    limiter: { concurrency, interval_ms: intervalMs, running, waiting },
  };
}
