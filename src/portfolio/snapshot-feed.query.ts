import type { FeedEntry, PortfolioState } from '../contract/feed.ts';
import type { SnapshotView } from '../contract/schemas.ts';
import type { Viewer } from '../contract/service.ts';
import type { Database, Transaction } from '../database/database.orm.ts';
import { type SnapshotRow, snapshotColumnsSql, snapshotOf } from './portfolio.query.ts';

/** The portfolios' part of the feed: the row of a snapshot has its feed position and the previous totals. */
export interface SnapshotFeed {
  /** Changes after one position and up to another, ascending. `portfolioIds` null means all portfolios. */
  between(
    range: { after: number; until: number },
    portfolioIds: readonly string[] | null,
    options?: { limit?: number; on?: Transaction },
  ): Promise<SnapshotUpdate[]>;
  /** The existing portfolios of the viewer among `ids`, with the symbols that they need and their latest totals. */
  states(ids: readonly string[], viewer: Viewer, options: { on: Transaction }): Promise<PortfolioState[]>;
}

export type SnapshotUpdate = Extract<FeedEntry, { type: 'snapshot.updated' }>;

export function snapshotFeed(database: Database): SnapshotFeed {
  return {
    async between({ after, until }, portfolioIds, { limit = null, on } = {} as { limit?: number }) {
      const rows = await database.sql<UpdateRow>(betweenSql, [after, until, portfolioIds, limit], {
        on,
        prepared: true,
      });
      return rows.map(updateOf);
    },
    async states(ids, { name, role }, { on }) {
      if (ids.length === 0) return [];
      const rows = await database.sql<StateRow>(statesSql, [ids, role === 'operator', name], { on });
      return rows.map(({ portfolio_id, symbols, ...row }) => ({
        portfolio_id,
        symbols,
        snapshot: row.snapshot_date === null ? null : snapshotOf(row),
      }));
    },
  };
}

export interface UpdateRow extends SnapshotRow {
  portfolio_id: string;
  feed_position: string;
  cause: string | null;
  before: Texts | null;
}

type StateRow = SnapshotRow & { portfolio_id: string; symbols: string[] };

export function updateOf({
  portfolio_id,
  feed_position,
  cause,
  before,
  ...after
}: UpdateRow): SnapshotUpdate {
  return {
    type: 'snapshot.updated',
    position: Number(feed_position),
    portfolio_id,
    cause,
    before: before && previousOf(before),
    after: snapshotOf(after),
  };
}

/** The previous row, with each column as text so that no digit is lost. */
type Texts = Record<keyof SnapshotView, string>;

function previousOf(row: Texts): SnapshotView {
  return snapshotOf({
    snapshot_date: row.snapshot_date,
    total_value: row.total_value,
    total_cost: row.total_cost,
    total_pnl: row.total_pnl,
    pnl_percent: row.pnl_percent,
    long_value: row.long_value,
    short_value: row.short_value,
    gross_exposure: row.gross_exposure,
    net_exposure: row.net_exposure,
    realized_pnl: row.realized_pnl,
    position_count: Number(row.position_count),
    unpriced_count: Number(row.unpriced_count),
    pending_count: Number(row.pending_count),
    missing_fx_count: Number(row.missing_fx_count),
    coverage: row.coverage,
    is_complete: row.is_complete === 'true',
    oldest_price_date: row.oldest_price_date,
    computed_at: row.computed_at,
    revision: Number(row.revision),
  });
}

/** The columns of an `UpdateRow`, from `portfolio_snapshots`. */
export const updateColumnsSql = `portfolio_id, feed_position, cause, ${snapshotColumnsSql},
    (select jsonb_object_agg(key, value) from jsonb_each_text(previous)) as before`;

const betweenSql = `
  select ${updateColumnsSql}
  from portfolio_snapshots
  where feed_position > $1::bigint and feed_position <= $2::bigint
    and ($3::uuid[] is null or portfolio_id = any($3::uuid[]))
  order by feed_position limit $4::int`;

const statesSql = `
  select f.id as portfolio_id, s.*,
    array(select distinct needs_symbol from positions
      where portfolio_id = f.id and exit_date is null and needs_symbol is not null order by 1) as symbols
  from portfolios f left join lateral (
    select ${snapshotColumnsSql} from portfolio_snapshots
    where portfolio_id = f.id order by snapshot_date desc limit 1
  ) s on true
  where f.id = any($1::uuid[]) and ($2::boolean or f.owner = $3)`;
