import { hubCurrency, quotedInHub, rateDecimals } from '../market/rates.ts';
import { quotientSql } from './rounding-sql.ts';

// `market/rates.ts` in SQL: the same symbols, quotients and rounding. Arguments are column expressions.

const quoted = (currencies: readonly string[]) => currencies.map((currency) => `'${currency}'`).join(', ');
const isQuotedSql = (currency: string) => `${currency} in (${quoted(quotedInHub)})`;

/** The symbol of a currency's series; null for the dollar and for an unknown currency. */
export const rateSymbolSql = (currency: string): string =>
  `case when ${currency} = '${hubCurrency}' then null when ${isQuotedSql(currency)}
    then ${currency} || '${hubCurrency}=X' else '${hubCurrency}' || ${currency} || '=X' end`;

const closeSql = (symbol: string) =>
  `(select close from prices where symbol = ${symbol} and date <= c.on_date order by date desc limit 1)`;

const lastDateSql = (symbol: string) =>
  `(select date from prices where symbol = ${symbol} order by date desc limit 1)`;

const isHere = (currency: string, close: string) =>
  `(${currency} = '${hubCurrency}' or ${close} is not null)`;

/**
 * The rates of conversions: takes a relation with `source`, `target` and `on_date`, and returns these columns and
 * `rate`, at the closes on or before the date. A conversion without a close has no row. `offset 0` is an optimization
 * fence: it keeps the planner from inlining each part, which gave the plan of three rates some seventy subplans.
 */
export const ratesSql = (conversions: string): string => `
  select c.source, c.target, c.on_date, ${quotientSql('fraction.dividend', 'fraction.divisor', rateDecimals)} as rate
  from ${conversions} c
  cross join lateral (select ${rateSymbolSql('c.source')} as source_symbol, ${rateSymbolSql('c.target')} as target_symbol
    offset 0) series
  cross join lateral (select ${closeSql('series.source_symbol')} as source_close,
    ${closeSql('series.target_symbol')} as target_close offset 0) legs
  cross join lateral (select
    case when ${isQuotedSql('c.source')} then source_close else 1 end
      * case when ${isQuotedSql('c.target')} then 1 else coalesce(target_close, 1) end as dividend,
    case when ${isQuotedSql('c.source')} then 1 else coalesce(source_close, 1) end
      * case when ${isQuotedSql('c.target')} then target_close else 1 end as divisor offset 0) fraction
  where c.source <> c.target and ${isHere('c.source', 'source_close')} and ${isHere('c.target', 'target_close')}`;

/** The date of the latest close from which a rate between two currencies can be computed. */
export const latestRateDateSql = (from: string, to: string): string =>
  `greatest(${lastDateSql(rateSymbolSql(from))}, ${lastDateSql(rateSymbolSql(to))})`;
