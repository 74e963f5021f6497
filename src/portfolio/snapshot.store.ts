import type { Database, Transaction } from '../database/database.orm.ts';
import { unusualMinorDigits } from '../market/currency.ts';
import { priceSql } from './lot-price-sql.ts';
import { lotValuesSql } from './lot-values-sql.ts';
import { quotientSql } from './rounding-sql.ts';
import { type SnapshotUpdate, type UpdateRow, updateColumnsSql, updateOf } from './snapshot-feed.query.ts';

/** An exchange-rate series that lots need, from a day on. */
export interface LackingRate {
  symbol: string;
  since: string;
}

/** Progress of a symbol in one batch. */
export interface DueSymbol {
  symbol: string;
  portfolios: number;
  /** Whether no portfolio of the symbol is due after this batch. */
  isLast: boolean;
}

export interface SnapshotStore {
  /**
   * Prices the lots of portfolios that this transaction has locked or created, and recomputes their snapshots. Returns
   * the exchange-rate series that they need and that are missing or too short.
   */
  recompute(
    portfolioIds: readonly string[],
    options: {
      /** The symbols that complete in this transaction, and so no longer count as pending. */
      causes: readonly string[];
      /** The symbols that get a job in this transaction. */
      expected?: readonly string[];
      /** The snapshot date of a portfolio that has only cash. */
      session: string;
      on: Transaction;
    },
  ): Promise<LackingRate[]>;
  /**
   * Locks the next portfolios, ascending by id, that have an unpriced or outdated open lot of an active symbol: up to
   * `batch` per symbol. A resumed snapshot phase continues in the same way, because finished portfolios are not due.
   */
  lockDue(
    symbols: readonly string[],
    batch: number,
    options: { on: Transaction },
  ): Promise<{ portfolioIds: string[]; symbols: DueSymbol[] }>;
  /**
   * Assigns feed positions to the changed snapshots and returns their feed entries, ascending. Must be the last
   * statement of its transaction.
   */
  announce(portfolioIds: readonly string[], options: { on: Transaction }): Promise<SnapshotUpdate[]>;
}

export function snapshotStore(database: Database, { feedChannel }: { feedChannel: string }): SnapshotStore {
  const digits = JSON.stringify(Object.fromEntries(unusualMinorDigits));
  return {
    async recompute(portfolioIds, { causes, expected = [], session, on }) {
      const options = { on, prepared: true };
      const lacking = await database.sql<LackingRate>(priceSql, [portfolioIds], options);
      await database.sql(recomputeSql, [portfolioIds, digits, session, causes, expected], options);
      return lacking;
    },
    async lockDue(symbols, batch, { on }) {
      for (;;) {
        const [due] = await database.sql<{ ids: string[]; symbols: DueSymbol[] }>(
          lockDueSql,
          [symbols, batch],
          { on, prepared: true },
        );
        // The batch may have been deleted while this statement waited for its locks, and more may be due.
        if (due!.ids.length > 0 || due!.symbols.every(({ isLast }) => isLast))
          return { portfolioIds: due!.ids, symbols: due!.symbols };
      }
    },
    async announce(portfolioIds, { on }) {
      const options = { on, prepared: true };
      const rows = await database.sql<UpdateRow>(announceSql, [portfolioIds, feedChannel], options);
      return rows.map(updateOf);
    },
  };
}

const dueLotsSql = `
  select p.portfolio_id from positions p join symbol_universe u on u.symbol = p.needs_symbol
  where p.needs_symbol = asked.symbol and p.exit_date is null and p.investment_class = 'PUBLIC' and u.is_active
    and p.priced_version is distinct from u.price_version`;
const dueRatesSql = `
  select r.portfolio_id from portfolio_rates r join symbol_universe u on u.symbol = r.symbol
  where r.symbol = asked.symbol and u.is_active and r.rated_version is distinct from u.price_version`;

// Each branch is limited through its own index before the two are merged.
const lockDueSql = `
  with due as materialized (
    select asked.symbol, due.portfolio_id from unnest(array(select unnest($1::text[]))) as asked(symbol) cross join lateral (
      select portfolio_id from (
        (${dueLotsSql} group by p.portfolio_id order by p.portfolio_id limit $2)
        union (${dueRatesSql} order by r.portfolio_id limit $2)
      ) either order by portfolio_id limit $2) due
  ), locked as materialized (
    select f.id from portfolios f where f.id = any(array(select portfolio_id from due)) order by f.id for no key update
  ), counted as (
    select asked.symbol, count(due.portfolio_id)::int as portfolios
    from unnest(array(select unnest($1::text[]))) as asked(symbol) left join due using (symbol) group by asked.symbol
  )
  select (select coalesce(json_agg(id order by id), '[]') from locked) as ids,
    (select json_agg(json_build_object('symbol', symbol, 'portfolios', portfolios, 'isLast', portfolios < $2))
     from counted) as symbols`;

// Lots are summed unrounded. Every published total is rounded once, half away from zero, as `numeric` rounds. Without a
// priced lot there is no row.
const recomputeSql = `
  with lots as (${lotValuesSql}),
  sums as (
    select portfolio_id, coalesce(($2::jsonb ->> base_currency)::int, 2) as digits,
      max(price_date) filter (where disposition = 'priced') as last_date,
      min(price_date) filter (where disposition = 'priced') as first_date,
      sum(value) filter (where disposition = 'priced') as value,
      sum(cost) filter (where disposition = 'priced') as cost,
      sum(abs(cost)) filter (where disposition = 'priced') as priced_abs,
      sum(abs(cost)) filter (where disposition <> 'closed') as open_abs,
      bool_or(cost is null) filter (where disposition <> 'closed') as cost_unknown,
      coalesce(sum(value) filter (where disposition = 'priced' and value > 0), 0) as long_value,
      coalesce(sum(value) filter (where disposition = 'priced' and value < 0), 0) as short_value,
      case when bool_or(disposition = 'closed' and exit_price is not null and realized is null) then null
        else coalesce(sum(realized), 0) end as realized,
      count(*) filter (where disposition = 'priced') as priced_count,
      count(*) filter (where disposition in ('unpriced', 'pending', 'failed')) as unpriced_count,
      count(*) filter (where
        (symbol_pending or needs_symbol = any($5::text[])) and needs_symbol <> all($4::text[])
        or not rates_pending <@ $4::text[] or rates && $5::text[]
      ) as pending_count,
      min(needs_symbol) filter (where needs_symbol = any($4::text[])) as own_cause,
      count(*) filter (where disposition = 'missing_fx') as missing_fx_count,
      bool_or(disposition in ('pending', 'failed', 'missing_fx')) as lacks_some
    from lots group by portfolio_id, base_currency
  ),
  latest as (
    select distinct on (portfolio_id) * from portfolio_snapshots
    where portfolio_id = any(array(select unnest($1::uuid[]))) order by portfolio_id, snapshot_date desc
  ),
  fresh as (
    select s.*, round(s.value, s.digits) as total_value, round(s.cost, s.digits) as total_cost,
      greatest(coalesce(s.last_date, $3::date), l.snapshot_date) as snapshot_date,
      case when l.portfolio_id is not null then to_jsonb(l) - 'previous' end as previous
    from sums s left join latest l using (portfolio_id) where s.priced_count > 0
  )
  insert into portfolio_snapshots as t (portfolio_id, snapshot_date, total_value, total_cost, total_pnl, pnl_percent,
    long_value, short_value, gross_exposure, net_exposure, realized_pnl, position_count, unpriced_count,
    pending_count, missing_fx_count, coverage, is_complete, oldest_price_date, computed_at, revision, previous, cause)
  select portfolio_id, snapshot_date, total_value, total_cost, total_value - total_cost,
    ${quotientSql('(value - cost) * 100', 'priced_abs', 4)},
    round(long_value, digits), round(short_value, digits), round(long_value - short_value, digits), total_value,
    round(realized, digits), priced_count, unpriced_count, pending_count, missing_fx_count,
    case when not cost_unknown then ${quotientSql('priced_abs', 'open_abs', 6)} end, not lacks_some,
    coalesce(first_date, snapshot_date), clock_timestamp(), 1, previous,
    coalesce(own_cause, ($4::text[])[1])
  from fresh
  on conflict (portfolio_id, snapshot_date) do update set
    total_value = excluded.total_value, total_cost = excluded.total_cost, total_pnl = excluded.total_pnl,
    pnl_percent = excluded.pnl_percent, long_value = excluded.long_value, short_value = excluded.short_value,
    gross_exposure = excluded.gross_exposure, net_exposure = excluded.net_exposure,
    realized_pnl = excluded.realized_pnl, position_count = excluded.position_count,
    unpriced_count = excluded.unpriced_count, pending_count = excluded.pending_count,
    missing_fx_count = excluded.missing_fx_count, coverage = excluded.coverage,
    is_complete = excluded.is_complete, oldest_price_date = excluded.oldest_price_date,
    computed_at = excluded.computed_at, revision = t.revision + 1, previous = excluded.previous,
    cause = excluded.cause`;

// A portfolio without a priced lot has no snapshot and gets no position, which would be a gap in the feed.
const announceSql = `
  with changed as materialized (
    select *, row_number() over (order by portfolio_id) as n, count(*) over () as size from (
      select distinct on (portfolio_id) portfolio_id, snapshot_date from portfolio_snapshots
      where portfolio_id = any(array(select unnest($1::uuid[]))) order by portfolio_id, snapshot_date desc
    ) latest
  ), head as (
    update feed_head set position = position + c.size from changed c where id = 1 and c.n = 1
    returning position, c.size
  ), placed as (
    update portfolio_snapshots s set feed_position = head.position - head.size + c.n
    from head, changed c where s.portfolio_id = c.portfolio_id and s.snapshot_date = c.snapshot_date
    returning s.*
  ), notified as (
    select pg_notify($2, json_build_object('from', position - size + 1, 'to', position)::text) from head
  )
  select ${updateColumnsSql} from placed where (select count(*) from notified) = 1 order by feed_position`;
