import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.orm.ts';
import { vacuumDue } from '../database/vacuum-embedded.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Metrics } from '../metrics/registry.metrics.ts';
import type { Upkeep } from '../onboarding/refresh/refresh.ts';
import { compactJobCounts } from '../onboarding/upkeep/compact-job-counts.ts';
import { pruneJournal } from '../onboarding/upkeep/prune-journal.ts';
import type { RetentionStore } from '../onboarding/upkeep/retention.store.ts';
import { type OldRows, pruneOldRows } from './prune-old-rows.ts';
import { findingKinds, type ReconcilerParts, reconcilerOf } from './reconciler.ts';
import type { Chore } from './scheduler.ts';

export interface ChoreParts extends Omit<ReconcilerParts, 'onFound'>, OldRows {
  config: Pick<Config, 'retention' | 'refresh'>;
  clock: Clock;
  database: Database;
  metrics: Metrics;
  retention: RetentionStore;
  upkeep: Upkeep;
  /** Registers a listener that is called whenever a job ends, on any node. */
  onEnded: (listener: () => void) => void;
}

const minuteMs = 60_000;
const findings = 'onboarding_reconciler_findings_total';

/** The periodic tasks of a node. Every node runs them: each is safe to run on several nodes at once. */
export function choresOf(parts: ChoreParts): Chore[] {
  const { config, clock, database, metrics, retention, upkeep, onEnded } = parts;
  const embedded = database.pglite !== null;
  for (const kind of findingKinds) metrics.count(findings, { kind }, 0);
  const reconciler = reconcilerOf({
    ...parts,
    onFound: (kind, count) => metrics.count(findings, { kind }, count),
  });
  const vacuum: Chore = {
    everyMs: minuteMs,
    run: async (signal) => void (await vacuumDue(database, clock, signal)),
  };
  return [
    ...(embedded ? [vacuum] : []),
    { everyMs: minuteMs, run: () => reconciler.queue() },
    { everyMs: 10 * minuteMs, run: (signal) => reconciler.portfolios(embedded ? 20 : 200, signal) },
    {
      everyMs: 10 * minuteMs,
      run: (signal) => pruneJournal(retention, { ...config.retention.journal, clock, signal }),
    },
    {
      everyMs: 60 * minuteMs,
      run: (signal) => pruneOldRows(parts, { retention: config.retention, clock, signal }),
    },
    { everyMs: minuteMs, run: () => compactJobCounts(database) },
    { everyMs: 5 * minuteMs, run: () => upkeep.remeasure() },
    { everyMs: 5 * minuteMs, run: () => upkeep.rates() },
    { everyMs: minuteMs, run: () => upkeep.splits() },
    ...(config.refresh ? [refreshing(upkeep, onEnded)] : []),
  ];
}

/** Each job that ends frees a slot for the next symbol, until every due symbol is refreshed. */
const refreshing = (upkeep: Upkeep, onEnded: ChoreParts['onEnded']): Chore => ({
  everyMs: minuteMs,
  run: () => upkeep.refresh(),
  onWake: (wake) =>
    onEnded(() => {
      if (upkeep.ended()) wake();
    }),
});
