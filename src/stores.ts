import type { pino } from 'pino';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Database } from './database.ts';
import { exposureStore } from './factors/exposure.store.ts';
import { priceStore } from './market/price.store.ts';
import { proxySource } from './market/proxies.ts';
import type { MarketData } from './market-data.ts';
import type { Metrics } from './metrics/registry.metrics.ts';
import { admissionStore } from './onboarding/admission.store.ts';
import { ceilingStore } from './onboarding/ceiling.store.ts';
import { claimStore } from './onboarding/claim.store.ts';
import { journalFeed } from './onboarding/feed.query.ts';
import { fenceStore } from './onboarding/fence.store.ts';
import { jobQueries } from './onboarding/job.query.ts';
import { journalStore } from './onboarding/journal.store.ts';
import { operationsStore } from './onboarding/operations.store.ts';
import { channels } from './onboarding/ports.ts';
import { reconcilerStore } from './onboarding/reconciler.store.ts';
import { retentionStore } from './onboarding/retention.store.ts';
import type { SymbolQueueEdge } from './onboarding/symbol.queue.ts';
import { upkeepStore } from './onboarding/upkeep.store.ts';
import { upkeepOf } from './onboarding/upkeep.ts';
import { idempotencyStore } from './portfolio/idempotency.store.ts';
import { laggingStore } from './portfolio/lagging.store.ts';
import { portfolioStore } from './portfolio/portfolio.store.ts';
import { snapshotStore } from './portfolio/snapshot.store.ts';
import { snapshotFeed } from './portfolio/snapshot-feed.query.ts';
import { symbolQueries } from './universe/symbol.query.ts';
import { universeStore } from './universe/universe.store.ts';

/** What everything stands on. */
export interface Base extends MarketData {
  config: Config;
  clock: Clock;
  database: Database;
  metrics: Metrics;
  queue: SymbolQueueEdge;
  nodeName: string;
  logger: pino.Logger;
  log: (error: unknown) => void;
  /** Called in reverse order, each after the one before has ended. */
  closers: (() => Promise<unknown>)[];
}

/** Every store and query, on one database. */
export function storesOn({ config, clock, database, queue, provider, calendar, nodeName }: Base) {
  const { concurrency, clusterConcurrency, depth } = config.supervisor;
  const prices = priceStore(database);
  const snapshots = snapshotStore(database, { feedChannel: channels.feed });
  const admission = admissionStore(database, { queue, depthMax: depth });
  const universe = universeStore(database);
  const proxies = proxySource({ provider, prices, database, clock, onCalendar: calendar.learn });
  const operations = operationsStore(database, { queue, node: nodeName, depthMax: depth });
  const wants = upkeepStore(database, { admission });
  return {
    admission,
    claims: claimStore(database, { queue, node: nodeName, limits: config.job }),
    ceiling: clusterConcurrency === null ? null : ceilingStore(database, { ceiling: clusterConcurrency }),
    journal: journalStore(database, { queue, node: nodeName }),
    retention: retentionStore(database),
    reconciler: reconcilerStore(database, { queue, node: nodeName }),
    operations,
    fence: fenceStore(database),
    universe,
    requestRates: wants.requestRates,
    upkeep: upkeepOf({ ...admission, ...operations, wants, proxies, clock, depthMax: depth }),
    snapshots,
    lagging: laggingStore(database, snapshots),
    portfolios: portfolioStore(database),
    keys: idempotencyStore(database),
    prices,
    proxies,
    exposures: exposureStore(database),
    queries: jobQueries(database, clock),
    feed: { database, journal: journalFeed(database), snapshots: snapshotFeed(database) },
    symbols: symbolQueries(database, { concurrency, retryLimit: config.job.retryLimit, clock }),
  };
}

export type Stores = ReturnType<typeof storesOn>;
