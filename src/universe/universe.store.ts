import type { Database, Transaction } from '../database/database.orm.ts';
import { batchReads } from '../kernel/batching.ts';
import type { Instrument } from '../market/provider.ts';
import { splitJsonSql } from '../market/split-sql.ts';
import type { Quote } from './quote.ts';
import type { SymbolState } from './symbol-state.ts';

/** A symbol with prices, and the quality of its exposures. */
export interface UniverseEntry {
  symbol: string;
  quality: string;
  reason: string | null;
  calculationDate: string | null;
}

export interface UniverseStore {
  /** The state of each symbol, for the detection. Symbols without a row and without a job are omitted. */
  states(symbols: readonly string[], options?: { on?: Transaction }): Promise<SymbolState[]>;
  /** Currency and latest price by symbol. Symbols without a row are omitted. */
  quotes(symbols: readonly string[], options?: { on?: Transaction }): Promise<Map<string, Quote>>;
  /**
   * Inserts an inactive row for every new symbol and locks the rows that are not ready against the universe phase:
   * until this transaction ends, none of them becomes active.
   */
  reserve(
    symbols: readonly string[],
    instruments: readonly Instrument[],
    options: { on: Transaction },
  ): Promise<void>;
  /** Locks the existing rows of the symbols. */
  lock(symbols: readonly string[], options: { on: Transaction }): Promise<void>;
  /** Stores the provider's instruments, and the first day for which their history was requested. */
  describe(
    instruments: readonly (Instrument & { provider: string; historyFrom: string })[],
    options: { on: Transaction },
  ): Promise<void>;
  /**
   * Activates symbols: from this commit on they price lots. A changed price raises `price_version`, and so does a rate
   * series that reaches further back, which makes lots due.
   */
  activate(entries: readonly UniverseEntry[], options: { on: Transaction }): Promise<void>;
  /**
   * A symbol's instrument, if known, and the earliest days that any open lot needs: `held` for its splits, `rated` for
   * its series as an exchange rate.
   */
  known(
    symbol: string,
  ): Promise<{ instrument: Instrument | null; held: string | null; rated: string | null }>;
  /** Records that splits are needed from an earlier day on; the upkeep requests them later. */
  requestEarlierSplits(
    symbols: readonly { symbol: string; since: string }[],
    options: { on: Transaction },
  ): Promise<void>;
}

export function universeStore(database: Database): UniverseStore {
  const knownOf = batchReads(async (symbols) => {
    const rows = await database.sql<KnownRow>(knownSql, [symbols], { prepared: true });
    return new Map(
      rows.map(({ held, rated, type, ...row }) => {
        return [row.symbol, { instrument: type && instrumentOf({ ...row, type }), held, rated }];
      }),
    );
  });
  return {
    async states(symbols, { on } = {}) {
      const rows = await database.sql<StateRow>(statesSql, [symbols], { on });
      return rows.map((row) => ({
        symbol: row.symbol,
        isActive: row.is_active,
        isReady: row.is_ready,
        lastPriceDate: row.last_price_date,
        currency: row.currency,
        historyFrom: row.history_from,
        unfinishedJobId: row.job_id,
      }));
    },
    async quotes(symbols, { on } = {}) {
      const rows = await database.sql<Quote>(
        `select symbol, currency, case when is_active then last_price end as "lastClose",
           case when is_active then last_price_date::text end as "priceDate",
           coalesce((select json_agg(${splitJsonSql} order by date) from corporate_actions a
             where a.symbol = u.symbol and kind = 'split'), '[]') as splits
         from symbol_universe u where symbol = any($1::text[])`,
        [symbols],
        { on },
      );
      return new Map(rows.map((row) => [row.symbol, row]));
    },
    reserve: (symbols, instruments, { on }) => reserve(database, symbols, instruments, on),
    async lock(symbols, { on }) {
      await database.sql(lockSql, [symbols], { on, prepared: true });
    },
    async describe(instruments, { on }) {
      await database.sql(describeSql, [JSON.stringify(sorted(instruments))], { on, prepared: true });
    },
    async activate(entries, { on }) {
      await database.sql(activateSql, [JSON.stringify(sorted(entries))], { on, prepared: true });
    },
    async requestEarlierSplits(symbols, { on }) {
      await database.sql(earlierSplitsSql, [JSON.stringify(symbols)], { on });
    },
    known: async (symbol) => (await knownOf(symbol))!,
  };
}

const lockSql = `
  select symbol from symbol_universe where symbol = any(array(select unnest($1::text[])))
  order by symbol collate "C" for no key update`;

const describeSql = `
  insert into symbol_universe (symbol, name, type, currency, exchange, time_zone, session_end, provider, history_from)
  select symbol, name, type, currency, exchange, "timeZone", "sessionEnd", provider, "historyFrom"
  from jsonb_to_recordset($1::jsonb) as r(symbol text, name text, type text, currency text, exchange text,
    "timeZone" text, "sessionEnd" text, provider text, "historyFrom" date)
  on conflict (symbol) do update set name = excluded.name, type = excluded.type, currency = excluded.currency,
    exchange = excluded.exchange, time_zone = excluded.time_zone, session_end = excluded.session_end,
    provider = excluded.provider, history_from = excluded.history_from, updated_at = now()`;

const earlierSplitsSql = `
  with wanted as (
    select u.symbol, r.since from symbol_universe u
    join jsonb_to_recordset($1::jsonb) as r(symbol text, since date) on r.symbol = u.symbol
    order by u.symbol collate "C" for no key update of u
  )
  update symbol_universe u set wanted_from = least(u.wanted_from, wanted.since)
  from wanted where u.symbol = wanted.symbol`;

const knownSql = `
  select asked.symbol, u.name, u.type, u.currency, u.exchange, u.time_zone, u.session_end,
    (select min(entry_date)::text from positions
      where needs_symbol = asked.symbol and exit_date is null and investment_class = 'PUBLIC') as held,
    (select min(since)::text from portfolio_rates r where r.symbol = asked.symbol) as rated
  from unnest(array(select unnest($1::text[]))) as asked(symbol) left join symbol_universe u using (symbol)`;

interface StateRow {
  symbol: string;
  is_active: boolean;
  is_ready: boolean;
  last_price_date: string | null;
  currency: string | null;
  history_from: string | null;
  job_id: string | null;
}

const statesSql = `
  select s.symbol, coalesce(u.is_active, false) as is_active,
    coalesce(u.is_active and u.ready_at is not null, false) as is_ready,
    u.last_price_date::text as last_price_date, u.currency, u.history_from::text as history_from, j.id as job_id
  from unnest($1::text[]) as s(symbol)
  left join symbol_universe u on u.symbol = s.symbol
  left join onboarding_jobs j on j.symbol = s.symbol and j.status in ('pending', 'processing')
  where u.symbol is not null or j.id is not null`;

interface InstrumentRow {
  symbol: string;
  name: string | null;
  type: Instrument['type'];
  currency: string | null;
  exchange: string | null;
  time_zone: string;
  session_end: string;
}

/** Without a type, the instrument is unknown. */
interface KnownRow extends Omit<InstrumentRow, 'type'> {
  type: Instrument['type'] | null;
  held: string | null;
  rated: string | null;
}

const instrumentOf = (row: InstrumentRow): Instrument => ({
  symbol: row.symbol,
  name: row.name,
  type: row.type,
  currency: row.currency,
  exchange: row.exchange,
  timeZone: row.time_zone,
  sessionEnd: row.session_end,
});

async function reserve(
  database: Database,
  symbols: readonly string[],
  instruments: readonly Instrument[],
  on: Transaction,
): Promise<void> {
  const known = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
  const rows = [...symbols].sort().map((symbol) => ({ ...known.get(symbol), symbol }));
  await database.sql(
    `insert into symbol_universe (symbol, name, type, currency, exchange, time_zone, session_end)
     select r.symbol, r.name, r.type, r.currency, r.exchange, r."timeZone", r."sessionEnd"
     from jsonb_to_recordset($1::jsonb) as r(symbol text, name text, type text, currency text, exchange text,
       "timeZone" text, "sessionEnd" text)
     on conflict (symbol) do nothing`,
    [JSON.stringify(rows)],
    { on },
  );
  await database.sql(
    `select symbol from symbol_universe where symbol = any($1::text[]) and (not is_active or ready_at is null)
     order by symbol collate "C" for share`,
    [symbols],
    { on },
  );
}

// The lock order for universe rows: by symbol.
const sorted = <T extends { symbol: string }>(rows: readonly T[]): T[] =>
  [...rows].sort((a, b) => (a.symbol < b.symbol ? -1 : 1));

// An inactive row may have been ready before; it is ready again only when this job completes. An upload that joined
// this job after its request for splits may have an older lot: `wanted_from` requests those splits later.
const activateSql = `
  with given as materialized (
    select * from jsonb_to_recordset($1::jsonb) as given(symbol text, quality text, reason text, "calculationDate" date)
  ), locked as materialized (
    select symbol from symbol_universe where symbol = any(array(select symbol from given))
    order by symbol collate "C" for no key update
  ), series as materialized (
    select g.*, first.date as first_date, last.date as last_date, last.close as last_close, held.since as held_since
    from given g join locked using (symbol)
    left join lateral (select date from prices p where p.symbol = g.symbol order by date limit 1) first on true
    left join lateral (select date, close from prices p where p.symbol = g.symbol order by date desc limit 1) last
      on true
    left join lateral (select min(entry_date) as since from positions p
      where p.needs_symbol = g.symbol and p.exit_date is null and p.investment_class = 'PUBLIC') held on true
  )
  update symbol_universe u set
    ready_at = case when u.is_active then u.ready_at end,
    is_active = true,
    first_price_date = series.first_date,
    last_price_date = series.last_date,
    last_price = series.last_close,
    price_version = u.price_version +
      case when (u.last_price_date, u.last_price) is distinct from (series.last_date, series.last_close)
        or u.type = 'CURRENCY' and u.first_price_date is distinct from series.first_date
      then 1 else 0 end,
    wanted_from = case when series.held_since < u.history_from then least(u.wanted_from, series.held_since)
      else u.wanted_from end,
    quality = series.quality, quality_reason = series.reason, calculation_date = series."calculationDate",
    updated_at = now()
  from series where u.symbol = series.symbol`;
