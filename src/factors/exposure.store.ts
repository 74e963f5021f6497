import { onOneNode } from '../database/advisory-locks.ts';
import type { Database, Transaction } from '../database/database.orm.ts';
import type { Exposure } from './factor-catalog.ts';

/** The exposures of a symbol as of a calculation date. */
export interface ExposureSet {
  symbol: string;
  calculationDate: string;
  proxyVersion: string | null;
  exposures: readonly Exposure[];
}

export interface ExposureStore {
  /** Replaces the rows of each symbol and calculation date. */
  replace(sets: readonly ExposureSet[], options: { on: Transaction }): Promise<void>;
  /**
   * Looks at the next batch of symbols after `after`, and deletes their sets with a calculation date before the day
   * `before`. Returns the cursor of the next batch; null at the end, or while another node prunes.
   *
   * Keeps the newest set of each symbol, the set that the universe refers to, and each set that an unfinished or failed
   * job has stored: when such a job continues, it makes the universe refer to that set.
   */
  prune(before: string, after: string | null): Promise<string | null>;
}

export interface ExposureBatch {
  /** The number of symbols to look at in one transaction. */
  symbols: number;
  /** The maximum number of sets to delete in it; a set has twelve rows. */
  sets: number;
}

export function exposureStore(
  database: Database,
  batch: ExposureBatch = { symbols: 200, sets: 40 },
): ExposureStore {
  return {
    prune: (before, after) =>
      onOneNode(database, 'pruneExposures', async (on) => {
        const from = after ?? '';
        const [done] = await database.sql<{ last: string; symbols: number; sets: number }>(
          pruneSql,
          [before, from, batch.symbols, batch.sets],
          { on },
        );
        const { last, symbols, sets } = done!;
        if (sets === batch.sets) return from; // these symbols may have more
        return symbols === batch.symbols ? last : null;
      }),
    async replace(sets, { on }) {
      const rows = sets.flatMap(({ exposures, ...set }) => exposures.map((row) => ({ ...row, ...set })));
      await database.sql(replaceSql, [JSON.stringify(rows)], { on, prepared: true });
    },
  };
}

// The symbols as an array make the planner use the primary key. With the join alone, each job read all exposures.
const replaceSql = `
  with given as materialized (
    select * from json_to_recordset($1::json) as given(symbol text, "calculationDate" date, "proxyVersion" date,
      factor text, "group" text, method text, beta double precision, "rawBeta" double precision, capped boolean,
      intercept double precision, "standardError" double precision, t double precision, "intervalLow" double precision,
      "intervalHigh" double precision, "rSquared" double precision, "conditionNumber" double precision,
      observations int, "window" int, "windowStart" date, "windowEnd" date, quality text, reason text, warnings jsonb)
  ), old as (
    delete from symbol_factor_exposures e using (select distinct symbol, "calculationDate" from given) g
    where e.symbol = any(array(select symbol from given)) and e.symbol = g.symbol
      and e.calculation_date = g."calculationDate" returning 1
  )
  insert into symbol_factor_exposures (symbol, calculation_date, proxy_version, factor, factor_group, method, beta,
    raw_beta, capped, intercept, standard_error, t, interval_low, interval_high, r_squared, condition_number,
    observations, window_days, window_start, window_end, quality, reason, warnings)
  select symbol, "calculationDate", "proxyVersion", factor, "group", method, beta, "rawBeta", capped, intercept,
    "standardError", t, "intervalLow", "intervalHigh", "rSquared", "conditionNumber", observations, "window",
    "windowStart", "windowEnd", quality, reason, warnings
  from given where (select count(*) from old) >= 0`;

const pruneSql = `
  with next as materialized (
    select symbol, calculation_date from symbol_universe where symbol > $2 order by symbol limit $3
  ), due as materialized (
    select old.symbol, old.calculation_date from next u cross join lateral (
      select distinct e.symbol, e.calculation_date from symbol_factor_exposures e
      where e.symbol = u.symbol and e.calculation_date < $1::date
        and e.calculation_date is distinct from u.calculation_date
        and e.calculation_date < (select max(calculation_date) from symbol_factor_exposures n where n.symbol = u.symbol)
    ) old
    where not exists (select from onboarding_jobs j where j.symbol = old.symbol
      and j.status in ('pending', 'processing', 'failed')
      and (j.results ->> 'calculationDate')::date = old.calculation_date)
    limit $4
  ), gone as (
    delete from symbol_factor_exposures e using due
    where e.symbol = due.symbol and e.calculation_date = due.calculation_date
  )
  select (select symbol from next order by symbol desc limit 1) as last, (select count(*)::int from next) as symbols,
    (select count(*)::int from due) as sets`;
