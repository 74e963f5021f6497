import type { z } from 'zod';
import type { portfolioExposuresSchema } from '../contract/schemas.ts';
import type { Viewer } from '../contract/service.ts';
import type { Database } from '../database/database.orm.ts';
import { factors } from '../factors/factor-catalog.ts';
import { exposuresOf, type FactorSums } from './exposure-sums.ts';
import { lotValuesSql } from './lot-values-sql.ts';

export interface PortfolioExposuresQuery {
  /**
   * Exposures of the priced lots at their current values. Null if the portfolio does not exist or is not the viewer's.
   */
  exposures(id: string, viewer: Viewer): Promise<z.infer<typeof portfolioExposuresSchema> | null>;
}

export function portfolioExposuresQuery(database: Database): PortfolioExposuresQuery {
  return {
    async exposures(id, viewer) {
      const owner = viewer.role === 'operator' ? null : viewer.name;
      const ids = factors.map((factor) => factor.id);
      const rows = await database.sql<FactorSums & { base_currency: string }>(sumsSql, [[id], owner, ids]);
      if (rows.length === 0) return null;
      return exposuresOf({ portfolioId: id, baseCurrency: rows[0]!.base_currency, rows });
    },
  };
}

// One statement, so that all sums cover the same lots. A beta is a double: its text is the shortest decimal that reads
// back as the same double, and everything after that is exact (a direct cast would round it to 15 digits). Exposures of
// a newer calculation date that the universe does not use yet are excluded, because the lots have an older price.
const sumsSql = `
  with holdings as (
    select needs_symbol as symbol, sum(value) as net, sum(abs(value)) as gross
    from (${lotValuesSql}) lots where disposition = 'priced' group by needs_symbol
  ),
  totals as (select sum(net) as net, sum(gross) as gross from holdings),
  sums as (
    select e.factor,
      sum(h.net * e.beta::text::numeric) filter (where e.quality <> 'default') as measured,
      sum(h.net * e.beta::text::numeric) filter (where e.quality = 'default') as assumed,
      sum(h.net) filter (where e.quality <> 'default') as measured_net,
      sum(h.gross) filter (where e.quality = 'full_history') as full_gross,
      sum(h.gross) filter (where e.quality = 'limited_history') as limited_gross,
      sum(h.gross) filter (where e.quality = 'default') as default_gross,
      min(e.calculation_date)::text as oldest
    from holdings h
    join symbol_universe u on u.symbol = h.symbol
    join symbol_factor_exposures e on e.symbol = h.symbol and e.calculation_date = u.calculation_date
    group by e.factor
  )
  select p.base_currency, f.factor, t.net, t.gross, s.measured, s.assumed, s.measured_net, s.full_gross,
    s.limited_gross, s.default_gross, s.oldest
  from portfolios p cross join totals t
  cross join unnest($3::text[]) with ordinality as f(factor, place)
  left join sums s on s.factor = f.factor
  where p.id = any($1::uuid[]) and ($2::text is null or p.owner = $2)
  order by f.place`;
