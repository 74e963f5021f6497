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
}

export function exposureStore(database: Database): ExposureStore {
  return {
    async replace(sets, { on }) {
      const rows = sets.flatMap(({ exposures, ...set }) => exposures.map((row) => ({ ...row, ...set })));
      await database.sql(replaceSql, [JSON.stringify(rows)], { on, prepared: true });
    },
  };
}

const replaceSql = `
  with given as materialized (
    select * from json_to_recordset($1::json) as given(symbol text, "calculationDate" date, "proxyVersion" date,
      factor text, "group" text, method text, beta double precision, "rawBeta" double precision, capped boolean,
      intercept double precision, "standardError" double precision, t double precision, "intervalLow" double precision,
      "intervalHigh" double precision, "rSquared" double precision, "conditionNumber" double precision,
      observations int, "window" int, "windowStart" date, "windowEnd" date, quality text, reason text, warnings jsonb)
  ), old as (
    delete from symbol_factor_exposures e using (select distinct symbol, "calculationDate" from given) g
    where e.symbol = g.symbol and e.calculation_date = g."calculationDate" returning 1
  )
  insert into symbol_factor_exposures (symbol, calculation_date, proxy_version, factor, factor_group, method, beta,
    raw_beta, capped, intercept, standard_error, t, interval_low, interval_high, r_squared, condition_number,
    observations, window_days, window_start, window_end, quality, reason, warnings)
  select symbol, "calculationDate", "proxyVersion", factor, "group", method, beta, "rawBeta", capped, intercept,
    "standardError", t, "intervalLow", "intervalHigh", "rSquared", "conditionNumber", observations, "window",
    "windowStart", "windowEnd", quality, reason, warnings
  from given where (select count(*) from old) >= 0`;
