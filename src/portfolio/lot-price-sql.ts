import { rateSlackDays } from '../market/rates.ts';
import { isForeignSql, lotsSql, rateSymbolsSql } from './lot-values-sql.ts';
import { latestRateDateSql, ratesSql } from './rate-sql.ts';

/**
 * Prices the lots of the portfolios in `$1` (uuid[]): close, its date and version, and the rates that convert the close
 * and the entry price. Returns the rate series that are missing or too short: `{symbol, since}`.
 *
 * A value is converted at the close on or before its price date, a cost at the close on or before its entry date. For
 * cash in another currency the rate is the price, so the rate's date is its price date. The realised gain of a closed
 * lot is converted at its exit date, with stored rates. `portfolio_rates` records which series convert a portfolio,
 * from which date on and at which version; a portfolio with another version is due. A series that is no longer needed,
 * because its symbol now trades in another currency, is deleted; otherwise its portfolio would always be due.
 */
export const priceSql = `
  with changing as materialized (
    select id, portfolio_id, investment_class, entry_date, exit_date, price_date, base_currency, lot_currency,
      value_currency, symbol_price, symbol_price_date, symbol_price_version, is_foreign, is_due
    from (
      select *, ${isForeignSql} as is_foreign, exit_date is null and investment_class = 'PUBLIC' and symbol_is_active
        and priced_version is distinct from symbol_price_version as is_due
      from (${lotsSql}) l
    ) marked where is_foreign or is_due
  ), converted as materialized (
    select *, case
        when exit_date is null and investment_class = 'CASH' then ${latestRateDateSql('value_currency', 'base_currency')}
        when is_due then symbol_price_date else price_date end as new_price_date
    from changing where is_foreign
  ), conversions as materialized (
    select value_currency as source, base_currency as target, coalesce(exit_date, new_price_date) as on_date
    from converted
    union select lot_currency, base_currency, entry_date from converted
  ), rates as materialized (${ratesSql('conversions')}
  ), rated as (
    select l.id, l.new_price_date, case when l.value_currency = l.base_currency then 1 else v.rate end as value_rate,
      case when l.lot_currency = l.base_currency then 1 else c.rate end as cost_rate
    from converted l
    left join rates v on (v.source, v.target, v.on_date)
      = (l.value_currency, l.base_currency, coalesce(l.exit_date, l.new_price_date))
    left join rates c on (c.source, c.target, c.on_date) = (l.lot_currency, l.base_currency, l.entry_date)
  ), priced as (
    update positions p set value_rate = r.value_rate, cost_rate = r.cost_rate,
      price_date = case when r.id is null then l.symbol_price_date else r.new_price_date end,
      last_close = case when l.is_due then l.symbol_price else p.last_close end,
      priced_version = case when l.is_due then l.symbol_price_version else p.priced_version end
    from changing l left join rated r on r.id = l.id
    where p.id = l.id and (l.is_due
      or (p.price_date, p.value_rate, p.cost_rate) is distinct from (r.new_price_date, r.value_rate, r.cost_rate))
  ), needed as materialized (
    select n.portfolio_id, n.symbol, n.since, u.price_version, coalesce(u.is_active, false) as is_active,
      not coalesce(u.is_active and u.history_from <= n.since - ${rateSlackDays}, false) as is_lacking
    from (
      select portfolio_id, s.symbol, min(entry_date) as since
      from converted cross join unnest(${rateSymbolsSql}) as s(symbol)
      where exit_date is null group by portfolio_id, s.symbol
    ) n left join symbol_universe u on u.symbol = n.symbol
  ), noted as (
    insert into portfolio_rates as t (portfolio_id, symbol, since, rated_version)
    select portfolio_id, symbol, since, case when is_active then price_version end from needed
    on conflict (portfolio_id, symbol) do update set since = excluded.since, rated_version = excluded.rated_version
    where (t.since, t.rated_version) is distinct from (excluded.since, excluded.rated_version)
  ), forgotten as (
    delete from portfolio_rates t where t.portfolio_id = any(array(select unnest($1::uuid[])))
      and not exists (select from needed n where (n.portfolio_id, n.symbol) = (t.portfolio_id, t.symbol))
  )
  select symbol, min(since)::text as since from needed where is_lacking group by symbol order by symbol`;
