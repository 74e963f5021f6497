import { rateSymbolSql } from './rate-sql.ts';

/**
 * The lots of the portfolios in `$1` (uuid[]) with their currencies and their symbol's latest price, one row per lot.
 * `$1` stands in a subquery so that the generic plan costs no more than a custom one and is reused: planning took
 * 15 ms, execution 1.
 *
 * lot_currency: the currency of its entry and exit price. No prices are fetched for a closed lot, so if its symbol is
 * unknown and its row has no currency, the base currency is assumed. value_currency: the currency of its value, which
 * is its symbol's close, or its exit price once closed. Null if unknown.
 */
export const lotsSql = `
  select l.*, case when l.exit_date is not null then l.lot_currency else l.close_currency end as value_currency
  from (
    select p.*, f.base_currency, u.is_active as symbol_is_active, u.last_price as symbol_price,
      u.last_price_date as symbol_price_date, u.price_version as symbol_price_version,
      coalesce(p.currency, case p.investment_class when 'PRIVATE' then f.base_currency when 'CASH' then p.symbol
        else u.currency end, case when p.exit_date is not null then f.base_currency end) as lot_currency,
      case p.investment_class when 'CASH' then p.symbol else u.currency end as close_currency
    from positions p
    join portfolios f on f.id = p.portfolio_id and f.id = any(array(select unnest($1::uuid[])))
    left join symbol_universe u on u.symbol = coalesce(p.needs_symbol,
      case when p.investment_class = 'PUBLIC' then p.symbol else p.underlying_symbol end)
    where p.portfolio_id = any(array(select unnest($1::uuid[])))
  ) l`;

// Open options and private holdings have a cost but no value.
const isValuedSql = `(investment_class in ('PUBLIC', 'CASH') or exit_date is not null)`;

/** On the rows of `lotsSql`: whether the cost or the value of a lot is in another currency than its portfolio. */
export const isForeignSql = `coalesce(lot_currency <> base_currency
    or (value_currency <> base_currency and ${isValuedSql}), false)`;

/** On the rows of `lotsSql`: the rate series that convert a lot, as an array, which may be empty. */
export const rateSymbolsSql = `array_remove(array[${rateSymbolSql('lot_currency')}, ${rateSymbolSql('base_currency')},
    case when ${isValuedSql} then ${rateSymbolSql('value_currency')} end], null)`;

/**
 * The lots of the portfolios in `$1` (uuid[]) with their values in the base currency, one row per lot: SPEC section 7
 * in SQL. Snapshots sum these rows and the positions route shows them, so the two cannot disagree.
 *
 * disposition: `priced`; `pending` (its symbol has an unfinished job and no price yet); `failed` (no price and no
 * job); `missing_fx` (a currency without a rate); `unpriced` (options and private holdings); `closed`.
 * fx_value, fx_cost: the rates of its value and of its entry price into the base currency, stored when it was priced.
 * value, cost, realized: unrounded, null if they cannot be converted to the base currency. rates, rates_pending: the
 * rate series that convert an open lot, and those of them with an unfinished job; otherwise null.
 */
export const lotValuesSql = `
  select c.*,
    case when c.disposition = 'priced' then c.quantity * c.multiplier * c.close * c.fx_value end as value,
    c.quantity * c.multiplier * c.entry_price * c.fx_cost as cost,
    case when c.disposition = 'closed' then c.quantity * c.multiplier
      * (c.exit_price * c.fx_value - c.entry_price * c.fx_cost) end as realized,
    c.symbol_pending or c.rates_pending is not null as is_pending
  from (
    select r.*,
      case
        when r.exit_date is not null then 'closed'
        when r.investment_class in ('OPTIONS', 'PRIVATE') then 'unpriced'
        when r.close is null and r.symbol_pending then 'pending'
        when r.close is null then 'failed'
        when r.fx_value is not null and r.fx_cost is not null then 'priced'
        else 'missing_fx'
      end as disposition,
      case when r.rates is not null then (select array_agg(x.symbol::text) from onboarding_jobs x
        where x.symbol = any(r.rates) and x.status in ('pending', 'processing')) end as rates_pending
    from (
      select l.*, case l.investment_class when 'CASH' then 1 else l.last_close end as close,
        case when l.value_currency = l.base_currency then 1 else l.value_rate end as fx_value,
        case when l.lot_currency = l.base_currency then 1 else l.cost_rate end as fx_cost,
        case when l.exit_date is null and ${isForeignSql} then ${rateSymbolsSql} end as rates,
        j.id is not null as symbol_pending
      from (${lotsSql}) l
      left join onboarding_jobs j on j.symbol = l.needs_symbol and j.status in ('pending', 'processing')
        and l.exit_date is null
    ) r
  ) c`;
