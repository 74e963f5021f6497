/**
 * The lots of the portfolios in `$1` (uuid[]) with their values in the base currency, one row per lot: SPEC section 7
 * as SQL. Snapshots sum these rows and the positions route shows them, so that the two cannot disagree.
 *
 * disposition: `priced`; `pending` (its symbol has an unfinished job and no price yet); `failed` (no price and no
 * job); `missing_fx` (a currency without a rate); `unpriced` (options and private holdings); `closed`.
 * value, cost, realized: unrounded, null where they cannot be expressed in the base currency. A closed lot sends
 * nothing to the provider, so where nobody knows its symbol and its row names no currency, the base currency is meant.
 */
export const lotValuesSql = `
  select c.*,
    case when c.disposition = 'priced' then c.quantity * c.multiplier * c.close end as value,
    case when c.lot_currency = c.base_currency then c.quantity * c.multiplier * c.entry_price end as cost,
    case when c.disposition = 'closed' and c.lot_currency = c.base_currency
      then c.quantity * c.multiplier * (c.exit_price - c.entry_price) end as realized
  from (
    select l.*,
      case
        when l.exit_date is not null then 'closed'
        when l.investment_class in ('OPTIONS', 'PRIVATE') then 'unpriced'
        when l.close is null and l.is_pending then 'pending'
        when l.close is null then 'failed'
        when l.lot_currency = l.base_currency and l.close_currency = l.base_currency then 'priced'
        else 'missing_fx'
      end as disposition
    from (
      select p.*, f.base_currency, u.currency as symbol_currency,
        coalesce(p.currency, case p.investment_class when 'PRIVATE' then f.base_currency when 'CASH' then p.symbol
          else u.currency end, case when p.exit_date is not null then f.base_currency end) as lot_currency,
        case p.investment_class when 'CASH' then p.symbol else u.currency end as close_currency,
        case p.investment_class when 'CASH' then 1 else p.last_close end as close,
        j.id is not null as is_pending
      from positions p
      join portfolios f on f.id = p.portfolio_id
      left join symbol_universe u on u.symbol = coalesce(p.needs_symbol,
        case when p.investment_class = 'PUBLIC' then p.symbol else p.underlying_symbol end)
      left join onboarding_jobs j on j.symbol = p.needs_symbol and j.status in ('pending', 'processing')
        and p.exit_date is null
      where p.portfolio_id = any($1::uuid[])
    ) l
  ) c`;
