import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { hostname } from 'node:os';
import { pino } from 'pino';
import { jobMachine } from '../machines/job.ts';
import type { Claim } from '../machines/protocol.ts';
import { supervisorMachine } from '../machines/supervisor.ts';
import { logOptions } from './api/http/request-log.ts';
import { buildServer } from './api/http.server.ts';
import { buildService } from './build-service.ts';
import type { Config } from './config/config.ts';
import type { Service } from './contract/service.ts';
import type { Database } from './database/database.orm.ts';
import { diagnose } from './diagnosis/diagnosis.probe.ts';
import type { Clock } from './kernel/clock.ts';
import { loopHealths } from './kernel/loop-health.ts';
import { systemClock } from './kernel/system.clock.ts';
import { claimProvider } from './market/market-kind.store.ts';
import type { MarketDataProvider } from './market/provider.ts';
import { rememberVerdicts } from './market/remembered-verdicts.ts';
import type { CountingProvider } from './market/request-counts.ts';
import { openMarketData } from './market-data.ts';
import { countLoopFailures, observeCommit, observed, observeFeed } from './metrics/observed-service.ts';
import { createMetrics } from './metrics/registry.metrics.ts';
import { measurementsOf } from './metrics/scrape.ts';
import { claimsActor } from './onboarding/claims/claims.ts';
import { ceilingActor } from './onboarding/claims/cluster-ceiling.ts';
import { startSymbolQueue } from './onboarding/claims/symbol.queue.ts';
import { listenForWork } from './onboarding/claims/work-listener.ts';
import { feedReader, feedStates } from './onboarding/feed/feed-states.ts';
import { publishCommits } from './onboarding/feed/publish-commits.feed.ts';
import { startTransitionFeed } from './onboarding/feed/transition.feed.ts';
import { inFlight } from './onboarding/job/phases-in-flight.ts';
import { jobLog } from './onboarding/job-log.ts';
import { createLedger } from './onboarding/journal/commit-batch.ts';
import { phaseWrites } from './onboarding/journal/phase-writes.ts';
import { createRecorder } from './onboarding/journal/recorder.ts';
import { phaseWork } from './onboarding/phases.ts';
import {
  type FenceCode,
  jobActors,
  type RunningOnboarding,
  startOnboarding,
} from './onboarding/start-onboarding.ts';
import { statelyInspection } from './onboarding/stately.inspector.ts';
import { openDatabase } from './open-database.ts';
import { assertPortFree, databaseOptions, migrated } from './startup.ts';
import { type Base, type Stores, storesOn } from './stores.ts';
import { attribution, traced } from './trace-context.ts';
import { warmedCache } from './universe/cache-warming.ts';
import { choresOf } from './upkeep/chores.ts';
import { startMaintenance } from './upkeep/scheduler.ts';
import { idempotencyStore } from './upload/idempotency.store.ts';

export interface App {
  /** The address it listens on, like `http://127.0.0.1:3000`. */
  url: string;
  service: Service;
  /** The market-data provider, which counts its requests since the start. */
  provider: CountingProvider;
  /** Takes no new work, lets running phases end within the grace period, releases the other jobs, closes everything. */
  close(): Promise<void>;
}

export interface AppOptions {
  logger?: pino.Logger;
  clock?: Clock;
  /** Replaces the configured provider: tests wrap it with faults and barriers. */
  provider?: MarketDataProvider;
  /** Replaces the configured database, for tests that read it. Closed with the app. */
  database?: Database;
  /** Uniform in [0, 1): the jitter of retries. */
  random?: () => number;
  /** The supervisor or the embedded database has stopped. The process should exit and be restarted. */
  onFault?: (fault: string) => void;
}

/** The composition root: the only place that connects stores, providers, server and machines (`machine.provide()`). */
export async function startApp(config: Config, options: AppOptions = {}): Promise<App> {
  const logger = options.logger ?? pino(logOptions(config.logLevel));
  const log = (error: unknown) => logger.error({ err: error }, 'background failure');
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closeNext of closers.splice(0).reverse()) await closeNext().catch(log);
  };
  try {
    await assertPortFree(config);
    const base = await openBase(config, options, { logger, log, closers });
    const stores = storesOn(base);
    const node = await startNode(base, stores, options);
    const service = serviceOf(base, stores, node);
    const { clock, provider } = base;
    const { providers } = config.marketData;
    const marketData = { providers, simulated: providers.includes('simulated') };
    const server = buildServer(service, { clock, logger, marketData, ...config.http });
    closers.push(() => server.close());
    const url = await server.listen({ host: config.host, port: config.port });
    const onEnded = (listener: () => void) => void service.feed.onEnd(listener);
    const maintenance = startMaintenance({
      ...base,
      chores: choresOf({ ...base, ...stores, ...node, onEnded }),
    });
    closers.push(() => maintenance.close());
    return {
      url,
      service,
      provider,
      // The server still answers while the phases end; /health/ready says `not ready`.
      async close() {
        await node.drain().catch(log);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openBase(
  config: Config,
  { clock = systemClock, onFault, ...options }: AppOptions,
  { logger, log, closers }: Pick<Base, 'logger' | 'log' | 'closers'>,
): Promise<Base> {
  const onPanic = (error: Error) => onFault?.(`the embedded database has stopped: ${error.message}`);
  const database = options.database ?? (await openDatabase({ ...databaseOptions(config), logger, onPanic }));
  closers.push(() => database.close());
  await migrated(database, config);
  const metrics = createMetrics();
  const marketData = await openMarketData(config, { clock, metrics, own: options.provider });
  await claimProvider(database, marketData.provider.name);
  // The lock on the directory proves that no other process handles uploads, so keys of a killed process are released.
  if (database.pglite !== null) await idempotencyStore(database).releaseAll();
  const queue = await startSymbolQueue(database, { log });
  closers.push(() => queue.stop());
  const nodeName = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  return { config, clock, database, ...marketData, metrics, queue, nodeName, logger, log, closers };
}

/** Starts the supervisor of this node with its claims, recorder, feed and symbol cache. */
async function startNode(base: Base, stores: Stores, { random = Math.random, onFault }: AppOptions) {
  const { config, clock, database, provider, metrics, queue, nodeName, logger, log, closers } = base;
  const embedded = database.pglite !== null;
  const stopped = new AbortController();
  const { cache, warm, onFeedEntry } = warmedCache(stores, log);
  const loops = loopHealths({ clock, log, onFailure: countLoopFailures(metrics) });

  const feed = await startTransitionFeed({
    begin: async () => (await stores.feed.journal.head()).position,
    read: feedReader(stores.feed),
    queue,
    clock,
    log,
    onGap: () => cache.clear(),
  });
  closers.push(() => feed.close());
  feed.subscribe((entry) => observeFeed(metrics, nodeName, entry));
  feed.subscribe(onFeedEntry);

  const jobLogging = jobLog(logger);
  let onboarding: RunningOnboarding;
  const effects = phaseWrites({
    ...stores,
    database,
    feed,
    // PGlite has one connection: everything that waits for it goes into one batch.
    batching: { attribution, concurrency: embedded ? 1 : 2 },
    // PGlite runs in this process, so a large batch would block the event loop and its timers.
    snapshotBatch: embedded ? 25 : 500,
  });
  const recorder = createRecorder({
    ledger: publishCommits(createLedger({ ...stores, database, effects }), { node: nodeName, feed }),
    clock,
    log,
    signal: stopped.signal,
    onCommitted(record) {
      jobLogging.onCommitted(record);
      observeCommit(metrics, record);
    },
    onEnded: (claim) => onboarding.send({ type: 'job.ended', ...claim }),
    onSettled: (claim) => onboarding.send({ type: 'job.settled', ...claim }),
    onLost: (claim) => onboarding.send({ type: 'claim.lost', ...claim }),
  });
  const phasesInFlight = inFlight();
  const phases = phaseWork({
    ...stores,
    database,
    effects,
    provider,
    forget: cache.invalidate,
    clock,
    log,
  });
  const onRefused = (claim: Claim, code: FenceCode) => {
    // Another node holds the lease now, so this node must stop its heartbeat.
    if (code === 'claim_lost') recorder.forget(claim);
    onboarding.send({ type: code === 'claim_lost' ? 'claim.lost' : 'job.cancel', ...claim });
  };
  const job = jobMachine.provide({
    actors: jobActors(phases, {
      recorder,
      traced,
      inFlight: phasesInFlight,
      clock,
      random,
      onRefused,
      ...jobLogging,
    }),
  });
  const work = await listenForWork(queue, database, clock);
  closers.push(work.close);
  const claims = claimsActor({
    jobs: { ...stores.claims, ...stores.operations },
    onWork: work.onWork,
    recorder,
    inFlight: phasesInFlight,
    limits: config.job,
    clock,
    loops,
    log,
  });
  await stores.ceiling?.open();
  const ceiling = stores.ceiling && {
    ceiling: ceilingActor({
      ...stores.ceiling,
      onWork: work.onWork,
      recorder,
      inFlight: phasesInFlight,
      clock,
      loop: loops.permits,
    }),
  };
  onboarding = startOnboarding({
    machine: supervisorMachine.provide({ actors: { job, claims, ...ceiling } }),
    limits: config.supervisor,
    recorder,
    inFlight: phasesInFlight,
    jobs: stores.claims,
    touch: embedded ? null : (entries) => queue.touch(entries),
    leases: loops.leases,
    stopWaiting: () => stopped.abort(new Error('the service is stopping')),
    onFault: (fault) => {
      log(new Error(fault));
      onFault?.(fault);
    },
    clock,
    log,
  });
  let drained: Promise<void> | null = null;
  const drain = () => {
    drained ??= onboarding.drain(config.shutdownGraceMs);
    return drained;
  };
  closers.push(drain);
  return {
    feed,
    cache,
    warm,
    loops,
    echo: work.echo,
    drain,
    held: () => recorder.held(),
    supervisor: () => onboarding.snapshot(),
    lastTransition: recorder.lastTransition,
    root: () => onboarding.root,
  };
}

function serviceOf(base: Base, stores: Stores, node: Awaited<ReturnType<typeof startNode>>): Service {
  const verdicts = rememberVerdicts(base.provider, base.clock);
  const service = buildService({
    ...base,
    ...stores,
    ...node,
    feedStates: feedStates(stores.feed),
    diagnosis: () => diagnose({ ...base, loops: node.loops }),
    inspection: base.config.inspector ? statelyInspection({ ...base, ...node }) : null,
    async verify(symbols, options) {
      const answers = await verdicts(symbols, options);
      const open = answers.filter(({ verdict }) => verdict === 'unverifiable');
      if (open.length > 0) base.logger.warn({ symbols: open }, 'symbols could not be verified');
      return answers;
    },
    newId: () => randomUUIDv7(),
    measurements: measurementsOf(base.metrics, {
      ...base,
      ...node,
      totals: stores.queries.totals,
      ceiling: stores.ceiling,
    }),
  });
  return observed(service, base.metrics);
}
