import type { pino } from 'pino';
import type { Config } from './config/config.ts';
import type { Database } from './database/database.orm.ts';
import { exposureStore } from './factors/exposure.store.ts';
import type { Clock } from './kernel/clock.ts';
import { priceStore } from './market/price.store.ts';
import { proxySource } from './market/proxy-source.ts';
import type { MarketData } from './market-data.ts';
import type { Metrics } from './metrics/registry.metrics.ts';
import { admissionStore } from './onboarding/admission/admission.store.ts';
import { operationsStore } from './onboarding/admission/operator-requests.store.ts';
import { claimStore } from './onboarding/claims/claim.store.ts';
import { ceilingStore } from './onboarding/claims/cluster-ceiling.store.ts';
import type { SymbolQueueEdge } from './onboarding/claims/symbol.queue.ts';
import { journalFeed } from './onboarding/feed/journal-feed.query.ts';
import { channels } from './onboarding/job/ports.ts';
import { fenceStore } from './onboarding/journal/fence.store.ts';
import { journalStore } from './onboarding/journal/journal.store.ts';
import { jobQueries } from './onboarding/queries/job.query.ts';
import { upkeepStore } from './onboarding/refresh/refresh.store.ts';
import { upkeepOf } from './onboarding/refresh/refresh.ts';
import { jobRetentionStore } from './onboarding/upkeep/job-retention.store.ts';
import { reconcilerStore } from './onboarding/upkeep/reconciler.store.ts';
import { retentionStore } from './onboarding/upkeep/retention.store.ts';
import { laggingStore } from './portfolio/lagging-snapshots.store.ts';
import { portfolioStore } from './portfolio/portfolio.store.ts';
import { snapshotStore } from './portfolio/snapshot.store.ts';
import { snapshotFeed } from './portfolio/snapshot-feed.query.ts';
import { symbolQueries } from './universe/symbol.query.ts';
import { universeStore } from './universe/universe.store.ts';
import { idempotencyStore } from './upload/idempotency.store.ts';

/** What all stores and actors of a node are built on. */
export interface Base extends MarketData {
  config: Config;
  clock: Clock;
  database: Database;
  metrics: Metrics;
  queue: SymbolQueueEdge;
  nodeName: string;
  logger: pino.Logger;
  log: (error: unknown) => void;
  /** Called in reverse order at shutdown, one after the other. */
  closers: (() => Promise<unknown>)[];
}

/** Creates every store and query on one database. */
export function storesOn({ config, clock, database, queue, provider, calendar, nodeName }: Base) {
  const { concurrency, clusterConcurrency, depth } = config.supervisor;
  const prices = priceStore(database);
  const snapshots = snapshotStore(database, { feedChannel: channels.feed });
  const admission = admissionStore(database, { queue, depthMax: depth });
  const universe = universeStore(database);
  const proxies = proxySource({ provider, prices, database, clock, onCalendar: calendar.learn });
  const operations = operationsStore(database, { queue, node: nodeName, depthMax: depth });
  const upkeep = upkeepStore(database, { admission });
  return {
    admission,
    claims: claimStore(database, { queue, node: nodeName, limits: config.job }),
    ceiling: clusterConcurrency === null ? null : ceilingStore(database, { ceiling: clusterConcurrency }),
    journal: journalStore(database, { queue, node: nodeName }),
    retention: retentionStore(database),
    jobRetention: jobRetentionStore(database),
    reconciler: reconcilerStore(database, { queue, node: nodeName }),
    operations,
    fence: fenceStore(database),
    universe,
    requestRates: upkeep.requestRates,
    upkeep: upkeepOf({ ...admission, ...operations, store: upkeep, proxies, clock, depthMax: depth }),
    snapshots,
    lagging: laggingStore(database, snapshots),
    portfolios: portfolioStore(database),
    keys: idempotencyStore(database),
    prices,
    proxies,
    exposures: exposureStore(database),
    queries: jobQueries(database),
    feed: { database, journal: journalFeed(database), snapshots: snapshotFeed(database) },
    symbols: symbolQueries(database, { concurrency, retryLimit: config.job.retryLimit, clock }),
  };
}

export type Stores = ReturnType<typeof storesOn>;
