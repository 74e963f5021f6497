import type { Database, Transaction } from '../database.ts';
import type { Exposure } from './catalog.ts';

export interface ExposureStore {
  /** Replaces the rows of one symbol and calculation date. */
  replace(
    symbol: string,
    set: { calculationDate: string; proxyVersion: string | null; exposures: readonly Exposure[] },
    options: { on: Transaction },
  ): Promise<void>;
}

export function exposureStore(database: Database): ExposureStore {
  return {
    async replace(symbol, { calculationDate, proxyVersion, exposures }, { on }) {
      await database.sql(
        'delete from symbol_factor_exposures where symbol = $1 and calculation_date = $2::date',
        [symbol, calculationDate],
        { on },
      );
      await database.sql(insertSql, [symbol, calculationDate, proxyVersion, JSON.stringify(exposures)], {
        on,
      });
    },
  };
}

const insertSql = `
  insert into symbol_factor_exposures (symbol, calculation_date, proxy_version, factor, factor_group, method, beta,
    raw_beta, capped, intercept, standard_error, t, interval_low, interval_high, r_squared, condition_number,
    observations, window_days, window_start, window_end, quality, reason, warnings)
  select $1, $2::date, $3::date, r.factor, r."group", r.method, r.beta, r."rawBeta", r.capped, r.intercept,
    r."standardError", r.t, r."intervalLow", r."intervalHigh", r."rSquared", r."conditionNumber", r.observations,
    r."window", r."windowStart", r."windowEnd", r.quality, r.reason, r.warnings
  from jsonb_to_recordset($4::jsonb) as r(factor text, "group" text, method text, beta double precision,
    "rawBeta" double precision, capped boolean, intercept double precision, "standardError" double precision,
    t double precision, "intervalLow" double precision, "intervalHigh" double precision,
    "rSquared" double precision, "conditionNumber" double precision, observations int, "window" int,
    "windowStart" date, "windowEnd" date, quality text, reason text, warnings jsonb)`;
