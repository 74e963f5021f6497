import type { Database } from '../../src/database/database.orm.ts';
import { snapshotStore } from '../../src/portfolio/snapshot.store.ts';
import type { SnapshotTotals } from '../../src/portfolio/snapshot.ts';
import type { Known } from './holdings.ts';

export const session = '2026-07-31';
export const priced = (symbol: string, close: string, date = '2026-07-30', currency = 'USD'): Known => ({
  symbol,
  currency,
  close,
  date,
  isPending: false,
});

const snapshotSql = `
  select snapshot_date::text as "snapshotDate", total_value as "totalValue", total_cost as "totalCost",
    total_pnl as "totalPnl", pnl_percent as "pnlPercent", long_value as "longValue", short_value as "shortValue",
    gross_exposure as "grossExposure", net_exposure as "netExposure", realized_pnl as "realizedPnl",
    position_count as "positionCount", unpriced_count as "unpricedCount", pending_count as "pendingCount",
    missing_fx_count as "missingFxCount", coverage, is_complete as "isComplete",
    oldest_price_date::text as "oldestPriceDate"
  from portfolio_snapshots where portfolio_id = $1 order by snapshot_date`;

export async function clear(database: Database): Promise<void> {
  await database.sql('truncate portfolios, symbol_universe, onboarding_jobs, prices cascade');
  await database.sql('update feed_head set position = 0');
}

/** The store, and what a snapshot phase does with it. */
export function storeOf(database: Database) {
  const store = snapshotStore(database, { feedChannel: 'onboarding_feed' });
  return {
    store,
    recompute: (ids: string[], { cause = null as string | null, expected = [] as string[] } = {}) =>
      database.transaction((on) =>
        store.recompute(ids, { causes: cause === null ? [] : [cause], expected, session, on }),
      ),
    /** One batch of a snapshot phase, as the phase does it; answers the portfolios. */
    batch: (symbol: string, size: number) =>
      database.transaction(async (on) => {
        const { portfolioIds } = await store.lockDue([symbol], size, { on });
        if (portfolioIds.length > 0) await store.recompute(portfolioIds, { causes: [symbol], session, on });
        return portfolioIds;
      }),
    rows: (id: string) => database.sql<SnapshotTotals>(snapshotSql, [id]),
    /** A new price of a symbol, as the universe phase enters it. */
    price: (symbol: string, close: string, date: string) =>
      database.sql(
        `update symbol_universe set last_price = $2, last_price_date = $3::date, is_active = true,
           price_version = price_version + 1 where symbol = $1`,
        [symbol, close, date],
      ),
  };
}
