import type { Database, Transaction } from '../database/database.orm.ts';
import { lotValuesSql } from './lot-values-sql.ts';
import type { SnapshotStore } from './snapshot.store.ts';

/** Finds and repairs portfolios whose latest snapshot is behind the universe. Only a bug leaves one behind. */
export interface LaggingStore {
  /**
   * Checks the next `batch` portfolios by id. `last` is the id to continue after, null at the end.
   *
   * A portfolio lags if an open lot of a ready symbol lacks its latest price or its latest exchange rate, or if its
   * snapshot has another number of priced lots than there are. A symbol with an unfinished job will be priced soon, and
   * one whose last job failed waits for a retry, so neither makes a portfolio lag. A portfolio without priced lots gets
   * no snapshot, so it does not count: it would always lag behind its last one.
   */
  findLagging(after: string | null, batch: number): Promise<{ lagging: string[]; last: string | null }>;
  /** Locks the portfolios and recomputes those that still lag. Returns their number. */
  recompute(portfolioIds: readonly string[], session: string): Promise<number>;
}

export function laggingStore(database: Database, snapshots: SnapshotStore): LaggingStore {
  return {
    async findLagging(after, batch) {
      const rows = await database.sql<{ id: string }>(
        'select id from portfolios where $1::uuid is null or id > $1::uuid order by id limit $2',
        [after, batch],
      );
      const ids = rows.map(({ id }) => id);
      const lagging = ids.length > 0 ? await laggingOf(database, ids) : [];
      return { lagging, last: ids.length < batch ? null : ids.at(-1)! };
    },
    recompute: (portfolioIds, session) =>
      database.transaction(async (on) => {
        await database.sql(
          'select id from portfolios where id = any($1::uuid[]) order by id for no key update',
          [portfolioIds],
          { on },
        );
        const lagging = await laggingOf(database, portfolioIds, on);
        if (lagging.length === 0) return 0;
        await snapshots.recompute(lagging, { causes: [], session, on });
        await snapshots.announce(lagging, { on });
        return lagging.length;
      }),
  };
}

async function laggingOf(database: Database, ids: readonly string[], on?: Transaction): Promise<string[]> {
  const rows = await database.sql<{ id: string }>(laggingSql, [ids], { on });
  return rows.map(({ id }) => id);
}

const laggingSql = `
  with priced as (
    select portfolio_id, count(*) filter (where disposition = 'priced') as n from (${lotValuesSql}) lots
    group by portfolio_id
  ), latest as (
    select distinct on (portfolio_id) portfolio_id, position_count from portfolio_snapshots
    where portfolio_id = any($1::uuid[]) order by portfolio_id, snapshot_date desc
  ), due as (
    select distinct p.portfolio_id from positions p join symbol_universe u on u.symbol = p.needs_symbol
    where p.portfolio_id = any($1::uuid[]) and p.exit_date is null and p.investment_class = 'PUBLIC'
      and u.is_active and u.ready_at is not null and p.priced_version is distinct from u.price_version
      and coalesce((select status from onboarding_jobs j where j.symbol = u.symbol order by id desc limit 1),
        'completed') = 'completed'
    union
    select r.portfolio_id from portfolio_rates r join symbol_universe u on u.symbol = r.symbol
    where r.portfolio_id = any($1::uuid[]) and u.is_active and u.ready_at is not null
      and r.rated_version is distinct from u.price_version
      and coalesce((select status from onboarding_jobs j where j.symbol = u.symbol order by id desc limit 1),
        'completed') = 'completed'
  )
  select f.id from portfolios f left join priced on priced.portfolio_id = f.id
    left join latest on latest.portfolio_id = f.id left join due on due.portfolio_id = f.id
  where f.id = any($1::uuid[])
    and (due.portfolio_id is not null or priced.n > 0 and priced.n is distinct from latest.position_count)
  order by f.id`;
