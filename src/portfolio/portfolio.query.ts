import type { z } from 'zod';
import type {
  LotView,
  PortfolioView,
  positionsSchema,
  SnapshotView,
  SymbolStatusView,
  snapshotsSchema,
} from '../contract/schemas.ts';
import type { Viewer } from '../contract/service.ts';
import type { Database } from '../database/database.orm.ts';
import type { Split } from '../market/split.ts';
import { splitJsonSql } from '../market/split-sql.ts';
import { lotValuesSql } from './lot-values-sql.ts';
import { lotViewOf, type ValuedLot } from './lot-view.ts';
import { type CountsRow, statusOf } from './portfolio-status.ts';
import { splitText } from './split-warning.ts';

export interface PortfolioQueries {
  find(id: string, viewer: Viewer): Promise<PortfolioView | null>;
  positions(id: string, page: Page<number>, viewer: Viewer): Promise<z.infer<typeof positionsSchema> | null>;
  snapshots(id: string, page: Page<string>, viewer: Viewer): Promise<z.infer<typeof snapshotsSchema> | null>;
}

interface Page<Cursor> {
  limit: number;
  cursor?: Cursor | undefined;
}

export interface PortfolioQueryOptions {
  statuses: (symbols: readonly string[]) => Promise<SymbolStatusView[]>;
  /** The last completed New York session. */
  session: () => string;
}

export function portfolioQueries(
  database: Database,
  { statuses, session }: PortfolioQueryOptions,
): PortfolioQueries {
  const owned = async (id: string, viewer: Viewer) => {
    const [row] = await database.sql<PortfolioRow>(
      `select id, name, owner, base_currency, created_at, updated_at from portfolios
       where id = $1::uuid and ($2 or owner = $3)`,
      [id, viewer.role === 'operator', viewer.name],
    );
    return row;
  };
  const count = async (id: string) => (await database.sql<CountsRow>(countsSql, [[id]]))[0]!;
  return {
    async find(id, viewer) {
      const row = await owned(id, viewer);
      if (!row) return null;
      // A later read may be newer, never older: a settled portfolio has no unfinished symbol, and ready symbols are in
      // the totals.
      const counts = await count(id);
      const needs = await database.sql<NeedRow>(needsSql, [id]);
      const symbols = await statuses(needs.map(({ symbol }) => symbol));
      const [latest] = await database.sql<SnapshotRow>(`${snapshotSql} limit 1`, [id, null]);
      // A lot may have been priced since the count.
      const { priced } = latest && counts.priced === 0 ? await count(id) : counts;
      return { ...viewOf(row, symbols, { ...counts, priced }, latest), warnings: splitWarnings(needs) };
    },
    async positions(id, { limit, cursor = 0 }, viewer) {
      const row = await owned(id, viewer);
      if (!row) return null;
      const lots = await database.sql<ValuedLot>(
        `${valuedLotSql} where line > $2 order by line, id limit $3`,
        [[id], cursor, limit + 1],
      );
      const page = lots.slice(0, limit);
      const positions: LotView[] = page.map((lot) => lotViewOf(lot, session()));
      return {
        portfolio_id: id,
        base_currency: row.base_currency,
        positions,
        next_cursor: lots.length > limit ? String(page.at(-1)!.line) : null,
      };
    },
    async snapshots(id, { limit, cursor }, viewer) {
      const row = await owned(id, viewer);
      if (!row) return null;
      const rows = await database.sql<SnapshotRow>(`${snapshotSql} limit $3`, [
        id,
        cursor ?? null,
        limit + 1,
      ]);
      const page = rows.slice(0, limit).map(snapshotOf);
      if (page[0] && cursor === undefined) {
        page[0] = asOfNow(page[0], await count(id));
      }
      return {
        portfolio_id: id,
        base_currency: row.base_currency,
        snapshots: page,
        next_cursor: rows.length > limit ? page.at(-1)!.snapshot_date : null,
      };
    },
  };
}

export interface PortfolioRow {
  id: string;
  name: string;
  owner: string;
  base_currency: string;
  created_at: string;
  updated_at: string;
}

export type SnapshotRow = Omit<SnapshotView, 'computed_at'> & { computed_at: string };

interface NeedRow {
  symbol: string;
  /** Number of its open lots that are older than a split; and the splits. */
  split_lots: number;
  splits: Split[] | null;
}

const needsSql = `
  select n.symbol, coalesce(s.lots, 0) as split_lots, s.splits
  from (
    select needs_symbol as symbol from positions
    where portfolio_id = $1::uuid and exit_date is null and needs_symbol is not null
    union select symbol from portfolio_rates where portfolio_id = $1::uuid
  ) n left join lateral (
    select count(distinct p.id)::int as lots, jsonb_agg(distinct ${splitJsonSql}) as splits
    from corporate_actions a join positions p on p.needs_symbol = a.symbol and p.entry_date < a.date
    where a.symbol = n.symbol and a.kind = 'split' and p.portfolio_id = $1::uuid and p.exit_date is null
      and p.investment_class = 'PUBLIC'
  ) s on true
  order by n.symbol`;

/**
 * One warning per symbol that has split since one of its lots was entered. The warnings of the lots have the numbers.
 */
function splitWarnings(needs: readonly NeedRow[]): PortfolioView['warnings'] {
  return needs.flatMap(({ symbol, split_lots: lots, splits }) => {
    if (splits === null) return [];
    const dated = splits.toSorted((a, b) => (a.date < b.date ? -1 : 1));
    const many = lots === 1 ? 'one of its lots was' : `${lots} of its lots were`;
    const message = `${symbol} split ${splitText(dated)}, after ${many} entered. See the warnings of its lots.`;
    return [{ code: 'split_since_entry', message }];
  });
}

/** Aggregates of the rows of `lotValuesSql`. */
export const countsColumnsSql = `count(*)::int as lots,
    count(*) filter (where is_pending)::int as pending_count,
    count(*) filter (where investment_class = 'PUBLIC' and disposition <> 'closed')::int as public_count,
    count(*) filter (where investment_class = 'PUBLIC' and disposition = 'priced')::int as priced_public,
    count(*) filter (where disposition = 'priced')::int as priced,
    count(*) filter (where disposition in ('failed', 'missing_fx'))::int as incomplete`;

const countsSql = `select ${countsColumnsSql} from (${lotValuesSql}) lots`;

const valuedLotSql = `
  select id, line, symbol, investment_class, investment_subtype, underlying_symbol, strike_price,
    expiration_date::text as expiration_date, option_type, quantity, multiplier, lot_currency, entry_price,
    entry_date::text as entry_date, exit_price, exit_date::text as exit_date, close, close_currency, value_currency,
    price_date::text as price_date, base_currency, fx_value, fx_cost, value, cost, disposition, is_pending,
    rates_pending,
    case when exit_date is null and investment_class = 'PUBLIC' then (
      select json_agg(${splitJsonSql} order by date) from corporate_actions a
      where a.symbol = lots.symbol and kind = 'split' and date > entry_date) end as splits
  from (${lotValuesSql}) lots`;

export const snapshotColumnsSql = `
  snapshot_date::text as snapshot_date, total_value, total_cost, total_pnl, pnl_percent, long_value,
    short_value, gross_exposure, net_exposure, realized_pnl, position_count, unpriced_count, pending_count,
    missing_fx_count, coverage, is_complete, oldest_price_date::text as oldest_price_date, computed_at, revision`;

const snapshotSql = `
  select ${snapshotColumnsSql} from portfolio_snapshots
  where portfolio_id = $1::uuid and ($2::date is null or snapshot_date < $2::date)
  order by snapshot_date desc`;

export const snapshotOf = (row: SnapshotRow): SnapshotView => ({
  ...row,
  computed_at: new Date(row.computed_at).toISOString(),
});

// The pending count is current, not that of the day on which the latest row was computed.
const asOfNow = (latest: SnapshotView, { pending_count }: CountsRow): SnapshotView => ({
  ...latest,
  pending_count,
});

/** Null if no lot is priced now: the latest row is then from a day on which one was. */
export const currentSnapshot = (latest: SnapshotRow | undefined, counts: CountsRow): SnapshotView | null =>
  latest && counts.priced > 0 ? asOfNow(snapshotOf(latest), counts) : null;

function viewOf(
  row: PortfolioRow,
  symbols: SymbolStatusView[],
  counts: CountsRow,
  latest: SnapshotRow | undefined,
): Omit<PortfolioView, 'warnings'> {
  const ready = symbols.filter(({ status }) => status === 'ready').length;
  const failed = symbols.filter(({ status }) => status === 'error' || status === 'unknown').length;
  // A failed symbol makes no more progress by itself, so it counts as done. Otherwise progress would never reach 1.
  const done = symbols.reduce((sum, { status, progress }) => sum + (status === 'error' ? 1 : progress), 0);
  return {
    portfolio_id: row.id,
    name: row.name,
    base_currency: row.base_currency,
    owner: row.owner,
    status: statusOf(counts),
    lot_count: counts.lots,
    progress: {
      total: symbols.length,
      ready,
      pending: symbols.length - ready - failed,
      failed,
      fraction: symbols.length === 0 ? 1 : done / symbols.length,
    },
    symbols: symbols.map(({ symbol, status, message, phase, progress, job_id }) => ({
      symbol,
      status,
      message,
      phase,
      progress,
      job_id,
    })),
    snapshot: currentSnapshot(latest, counts),
    created_at: new Date(row.created_at).toISOString(),
    updated_at: new Date(row.updated_at).toISOString(),
  };
}
