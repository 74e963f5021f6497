import { onOneNode } from '../database/advisory-locks.ts';
import type { Database, Transaction } from '../database/database.orm.ts';
import { batchReads } from '../kernel/batching.ts';
import { AppError } from '../kernel/errors.ts';
import type { Bar, CorporateAction } from './provider.ts';
import type { DailyCloses, ProxySet } from './proxy-set.ts';

/** A provider's answer for a symbol. */
export interface Series {
  symbol: string;
  bars: readonly Bar[];
  actions: readonly CorporateAction[];
  /** The first day for which splits and dividends were requested. */
  actionsFrom: string;
}

export interface PriceStore {
  /**
   * Replaces whole series, because adjusted closes change retroactively: appending rows would be wrong. Splits and
   * dividends from before `actionsFrom` stay: an earlier request fetched them, and they do not change.
   */
  replace(series: readonly Series[], options: { on: Transaction }): Promise<void>;
  /** The stored adjusted closes, ascending. */
  closes(symbol: string): Promise<DailyCloses>;
  findProxySet(version: string): Promise<ProxySet | null>;
  /** Stores a set unless its version exists, and returns the stored one. A stored set never changes. */
  keepProxySet(set: ProxySet, options: { on: Transaction }): Promise<ProxySet>;
  /**
   * Looks at the next batch of sets after `after`, and deletes those with a version before the day `before`. Returns
   * the cursor of the next batch; null at the end, or while another node prunes.
   *
   * Keeps the newest set, each set that the newest exposures of a symbol or those in the universe were measured with,
   * and each set that an unfinished job uses.
   */
  pruneProxySets(before: string, after: string | null): Promise<string | null>;
}

/** `proxySets` is the batch size for pruning; a set has about 40 kB. */
export function priceStore(database: Database, { proxySets = 20 } = {}): PriceStore {
  const closesOf = batchReads(async (symbols) => {
    const rows = await database.sql<DailyCloses & { symbol: string }>(closesSql, [symbols], {
      prepared: true,
    });
    return new Map(rows.map(({ symbol, ...closes }) => [symbol, closes]));
  });
  return {
    replace: (series, { on }) => replace(database, series, on),
    closes: async (symbol) => (await closesOf(symbol)) ?? { dates: [], closes: [] },
    async findProxySet(version) {
      const rows = await database.sql<{ closes: ProxySet['closes'] }>(
        'select closes from proxy_sets where version = $1::date',
        [version],
      );
      return rows[0] ? { version, closes: rows[0].closes } : null;
    },
    async keepProxySet(set, { on }) {
      const rows = await database.sql<{ closes: ProxySet['closes'] }>(
        `insert into proxy_sets (version, closes) values ($1::date, $2::jsonb)
         on conflict (version) do update set version = excluded.version returning closes`,
        [set.version, JSON.stringify(set.closes)],
        { on },
      );
      return { version: set.version, closes: rows[0]!.closes };
    },
    pruneProxySets: (before, after) =>
      onOneNode(database, 'pruneProxySets', async (on) => {
        const parameters = [before, after ?? '-infinity', proxySets];
        const [seen] = await database.sql<{ last: string; n: number }>(pruneProxySetsSql, parameters, { on });
        return seen!.n === proxySets ? seen!.last : null;
      }),
  };
}

const closesSql = `
  select symbol, json_agg(date order by date) as dates, json_agg(adjusted_close order by date) as closes
  from prices where symbol = any(array(select unnest($1::text[]))) group by symbol`;

// The calculation date of exposures is at most a day later than the session of their proxies, for markets ahead of
// New York. So only exposures dated less than a week after `before` can refer to a set that is due.
const pruneProxySetsSql = `
  with seen as materialized (
    select version from proxy_sets where version < $1::date and version > $2::date order by version limit $3
  ), used as materialized (
    select e.proxy_version as version from symbol_universe u cross join lateral (
      (select proxy_version from symbol_factor_exposures where symbol = u.symbol order by calculation_date desc limit 1)
      union all
      (select proxy_version from symbol_factor_exposures
        where symbol = u.symbol and calculation_date = u.calculation_date limit 1)
    ) e
    where (u.calculation_date is null or u.calculation_date < $1::date + 7) and exists (select from seen)
    union all
    select (results ->> 'proxyVersion')::date from onboarding_jobs where status in ('pending', 'processing')
  ), gone as (
    delete from proxy_sets p using seen
    where p.version = seen.version and p.version < (select max(version) from proxy_sets)
      and not exists (select from used where used.version = p.version)
  )
  select max(version)::text as last, count(*)::int as n from seen`;

async function replace(database: Database, series: readonly Series[], on: Transaction): Promise<void> {
  const symbols = series.flatMap(({ symbol, bars }) => bars.map(() => symbol));
  const bars = series.flatMap((one) => one.bars);
  const columns = [symbols, ...columnsOfBars.map((name) => bars.map((bar) => bar[name]))].map(arrayLiteral);
  const adjusted = doubles(bars.map(({ adjustedClose }) => adjustedClose));
  const actions = series.flatMap(({ symbol, actions }) => actions.map((action) => ({ symbol, ...action })));
  const asked = series.map(({ symbol, actionsFrom }) => ({ symbol, from: actionsFrom }));
  const values = [...columns, adjusted, JSON.stringify(actions), JSON.stringify(asked)];
  try {
    await database.sql(replaceSql, values, { on, prepared: true });
  } catch (error) {
    // A concurrent transaction has inserted prices of the same symbol. The retry sees its rows and replaces them.
    if ((error as { code?: unknown }).code !== uniqueViolation) throw error;
    throw new AppError('database_conflict', 'Another transaction wrote the same prices.', {
      retryable: true,
      cause: error,
    });
  }
}

const uniqueViolation = '23505';

const columnsOfBars = ['date', 'open', 'high', 'low', 'close', 'volume'] as const;

// Each insert refers to its delete, so old rows are deleted before new ones are inserted. Old rows are looked up per
// symbol by primary key: a single lookup for all symbols got its plan while the table was small, and that plan scanned
// the whole table later. 783 bars as arrays took PostgreSQL half the time of JSON with `on conflict do update` (20 ms),
// and PGlite two thirds. A single `unnest` of all arrays would copy them once more.
const replaceSql = `
  with asked as materialized (
    select * from json_to_recordset($10::json) as asked(symbol text, "from" date)
  ), old as (
    delete from prices where ctid = any(array(
      select row.ctid from asked cross join lateral (
        select p.ctid from prices p where p.symbol = asked.symbol order by date) row
    )) returning 1
  ), old_actions as (
    delete from corporate_actions a using asked
    where a.symbol = any(array(select symbol from asked)) and a.symbol = asked.symbol and a.date >= asked."from"
    returning 1
  ), acted as (
    insert into corporate_actions (symbol, date, kind, numerator, denominator, amount)
    select r.symbol, r.date, r.kind, r.numerator, r.denominator, r.amount
    from json_to_recordset($9::json) as r(symbol text, date date, kind text, numerator numeric, denominator numeric,
      amount numeric)
    where (select count(*) from old_actions) >= 0
    on conflict (symbol, date, kind) do nothing
  )
  insert into prices (symbol, date, open, high, low, close, adjusted_close, volume)
  select unnest($1::text[]), unnest($2::date[]), unnest($3::numeric[]), unnest($4::numeric[]), unnest($5::numeric[]),
    unnest($6::numeric[]), unnest($8::double precision[]), unnest($7::numeric[])
  where (select count(*) from old) >= 0`;

// Between the brackets a JSON array is a valid PostgreSQL array literal as long as no text has a control character, and
// symbols, dates and decimals have none. It takes a third of the time of the driver's own serializer.
function arrayLiteral(values: readonly (string | number | null)[]): string {
  return `{${JSON.stringify(values).slice(1, -1)}}`;
}

// The binary format of a double precision[]. Parsing 780 doubles from text would take PGlite 1.5 of 9 ms.
function doubles(values: readonly number[]): Buffer {
  const array = Buffer.alloc(20 + 12 * values.length);
  array.writeInt32BE(1, 0); // dimensions
  array.writeInt32BE(701, 8); // double precision
  array.writeInt32BE(values.length, 12);
  array.writeInt32BE(1, 16); // the first index
  for (const [n, value] of values.entries()) {
    array.writeInt32BE(8, 20 + 12 * n); // bytes that follow
    array.writeDoubleBE(value, 24 + 12 * n);
  }
  return array;
}
