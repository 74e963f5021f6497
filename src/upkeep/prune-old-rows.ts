import type { Config } from '../config/config.ts';
import type { ExposureStore } from '../factors/exposure.store.ts';
import type { Clock } from '../kernel/clock.ts';
import { inBatches } from '../kernel/in-batches.ts';
import type { PriceStore } from '../market/price.store.ts';
import type { JobCursor, JobRetentionStore } from '../onboarding/upkeep/job-retention.store.ts';

export interface OldRows {
  jobRetention: Pick<JobRetentionStore, 'prune'>;
  exposures: Pick<ExposureStore, 'prune'>;
  prices: Pick<PriceStore, 'pruneProxySets'>;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Deletes jobs, exposures and proxy sets that are older than their retention in days, batch by batch. The order follows
 * the references: jobs before the exposures that they could resume with, exposures before their proxy sets.
 */
export async function pruneOldRows(
  { jobRetention, exposures, prices }: OldRows,
  {
    retention,
    ...pace
  }: { retention: Omit<Config['retention'], 'journal'>; clock: Clock; signal: AbortSignal },
): Promise<void> {
  const before = (days: number) => new Date(pace.clock.now() - days * dayMs).toISOString();
  const dayBefore = (days: number) => before(days).slice(0, 10);
  await inBatches<JobCursor>((after) => jobRetention.prune(before(retention.jobs), after), pace);
  await inBatches<string>((after) => exposures.prune(dayBefore(retention.exposures), after), pace);
  await inBatches<string>((after) => prices.pruneProxySets(dayBefore(retention.proxySets), after), pace);
}
