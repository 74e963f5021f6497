import { rateSlackDays } from '../market/rates.ts';
import { latestRateDateSql, rateSql } from './rate-sql.ts';
import { isForeignSql, lotsSql, rateSymbolsSql } from './valuation.ts';

/**
 * Prices the lots of the portfolios in `$1` (uuid[]): close, its date and version, and the rates that convert the close
 * and the entry price. Answers the series that are not stored, or not far enough back: `{symbol, since}`.
 *
 * A value is converted at the close on or before its price date, a cost at the one on or before its entry date. Cash in
 * another currency has no price but its rate, so the rate's date is its price date. What is left of a closed lot, its
 * realised gain, is converted at its exit date, with what is stored. `portfolio_rates` remembers which portfolio is
 * converted with which series, from which date on and at which version: whose version differs is due.
 */
export const priceSql = `
  with lots as (
    select *, ${isForeignSql} as is_foreign, ${rateSymbolsSql} as rates,
      exit_date is null and investment_class = 'PUBLIC' and symbol_is_active
        and priced_version is distinct from symbol_price_version as is_due
    from (${lotsSql}) l
  ), dated as (
    select *, case
        when is_foreign and exit_date is null and investment_class = 'CASH'
          then ${latestRateDateSql('value_currency', 'base_currency')}
        when is_due then symbol_price_date else price_date end as new_price_date
    from lots where is_foreign or is_due
  ), rated as (
    select *,
      case when is_foreign then ${rateSql({ from: 'value_currency', to: 'base_currency', date: 'coalesce(exit_date, new_price_date)' })} end as new_value_rate,
      case when is_foreign then ${rateSql({ from: 'lot_currency', to: 'base_currency', date: 'entry_date' })} end as new_cost_rate
    from dated
  ), priced as (
    update positions p set price_date = r.new_price_date, value_rate = r.new_value_rate, cost_rate = r.new_cost_rate,
      last_close = case when r.is_due then r.symbol_price else p.last_close end,
      priced_version = case when r.is_due then r.symbol_price_version else p.priced_version end
    from rated r where p.id = r.id and (r.is_due
      or (p.price_date, p.value_rate, p.cost_rate) is distinct from (r.new_price_date, r.new_value_rate, r.new_cost_rate))
  ), needed as (
    select n.portfolio_id, n.symbol, n.since, u.price_version, coalesce(u.is_active, false) as is_active,
      not coalesce(u.is_active and u.history_from <= n.since - ${rateSlackDays}, false) as is_lacking
    from (
      select portfolio_id, s.symbol, min(entry_date) as since from lots cross join unnest(rates) as s(symbol)
      where is_foreign and exit_date is null group by portfolio_id, s.symbol
    ) n left join symbol_universe u on u.symbol = n.symbol
  ), noted as (
    insert into portfolio_rates as t (portfolio_id, symbol, since, rated_version)
    select portfolio_id, symbol, since, case when is_active then price_version end from needed
    on conflict (portfolio_id, symbol) do update set since = excluded.since, rated_version = excluded.rated_version
    where (t.since, t.rated_version) is distinct from (excluded.since, excluded.rated_version)
  )
  select symbol, min(since)::text as since from needed where is_lacking group by symbol order by symbol`;
