import type { Database } from '../database/database.orm.ts';
import { latestRateDateSql, ratesSql } from './rate-sql.ts';

/** A conversion at the closes on or before a date; a null date means the latest closes. */
export interface Conversion {
  from: string;
  to: string;
  date: string | null;
}

export interface StoredRate {
  /** Null if a close is missing. */
  rate: string | null;
  date: string | null;
}

/** The stored rates of conversions, in their order. A null conversion has no rate. */
export type RateQuery = (conversions: readonly (Conversion | null)[]) => Promise<StoredRate[]>;

const none: StoredRate = { rate: null, date: null };

export function rateQuery(database: Database): RateQuery {
  return async (conversions) => {
    const keyOf = ({ from, to, date }: Conversion) => `${from} ${to} ${date}`;
    const distinct = new Map(
      conversions.flatMap((one) => (one === null ? [] : [[keyOf(one), one] as const])),
    );
    if (distinct.size === 0) return conversions.map(() => none);
    const rows = await database.sql<StoredRate & { key: string }>(storedRatesSql, [
      JSON.stringify(
        [...distinct].map(([key, { from, to, date }]) => ({ key, source: from, target: to, date })),
      ),
    ]);
    const found = new Map(rows.map(({ key, rate, date }) => [key, { rate, date }]));
    return conversions.map((one) => (one === null ? none : (found.get(keyOf(one)) ?? none)));
  };
}

// A conversion from a currency into itself needs no rate, and callers do not request it.
const storedRatesSql = `
  with asked as materialized (
    select r.key, r.source, r.target, coalesce(r.date, ${latestRateDateSql('r.source', 'r.target')}) as on_date
    from jsonb_to_recordset($1::jsonb) as r(key text, source text, target text, date date)
  ), conversions as materialized (
    select distinct source, target, on_date from asked
  ), rates as materialized (${ratesSql('conversions')}
  )
  select a.key, a.on_date::text as date, r.rate
  from asked a left join rates r on (r.source, r.target, r.on_date) = (a.source, a.target, a.on_date)`;
