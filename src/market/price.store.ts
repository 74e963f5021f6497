import type { Database, Transaction } from '../database.ts';
import type { DailyCloses, ProxySet } from '../factors/catalog.ts';
import type { Bar, CorporateAction } from './provider.ts';

export interface PriceStore {
  /**
   * Replaces the whole series of a symbol: adjusted closes change backwards, so nothing is ever appended. Splits and
   * dividends from before `actionsFrom` stay: they were asked for when somebody needed them, and happened.
   */
  replace(
    symbol: string,
    series: { bars: readonly Bar[]; actions: readonly CorporateAction[]; actionsFrom: string },
    options: { on: Transaction },
  ): Promise<void>;
  /** The stored adjusted closes, ascending. */
  closes(symbol: string): Promise<DailyCloses>;
  findProxySet(version: string): Promise<ProxySet | null>;
  /** Stores a set unless its version exists; answers the stored one. A set never changes. */
  keepProxySet(set: ProxySet, options: { on: Transaction }): Promise<ProxySet>;
}

export function priceStore(database: Database): PriceStore {
  return {
    replace: (symbol, series, { on }) => replace(database, symbol, series, on),
    async closes(symbol) {
      const rows = await database.sql<{ date: string; adjusted_close: number }>(
        'select date::text as date, adjusted_close from prices where symbol = $1 order by date',
        [symbol],
      );
      return { dates: rows.map(({ date }) => date), closes: rows.map((row) => row.adjusted_close) };
    },
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
  };
}

async function replace(
  database: Database,
  symbol: string,
  { bars, actions, actionsFrom }: Parameters<PriceStore['replace']>[1],
  on: Transaction,
): Promise<void> {
  const rows = bars.map((bar) => ({ ...bar, adjusted_close: bar.adjustedClose }));
  await database.sql('delete from prices where symbol = $1', [symbol], { on });
  await database.sql(
    `insert into prices (symbol, date, open, high, low, close, adjusted_close, volume)
     select $1, r.date, r.open, r.high, r.low, r.close, r.adjusted_close, r.volume
     from jsonb_to_recordset($2::jsonb) as r(date date, open numeric, high numeric, low numeric, close numeric,
       adjusted_close double precision, volume numeric)
     on conflict (symbol, date) do update set open = excluded.open, high = excluded.high, low = excluded.low,
       close = excluded.close, adjusted_close = excluded.adjusted_close, volume = excluded.volume`,
    [symbol, JSON.stringify(rows)],
    { on },
  );
  await database.sql(
    'delete from corporate_actions where symbol = $1 and date >= $2::date',
    [symbol, actionsFrom],
    { on },
  );
  if (actions.length === 0) return;
  await database.sql(
    `insert into corporate_actions (symbol, date, kind, numerator, denominator, amount)
     select $1, r.date, r.kind, r.numerator, r.denominator, r.amount
     from jsonb_to_recordset($2::jsonb) as r(date date, kind text, numerator numeric, denominator numeric,
       amount numeric)
     on conflict (symbol, date, kind) do nothing`,
    [symbol, JSON.stringify(actions)],
    { on },
  );
}
