import type { z } from 'zod';
import type { PortfoliosQuery, portfoliosViewSchema } from '../contract/schemas.ts';
import type { Viewer } from '../contract/service.ts';
import type { Database } from '../database/database.orm.ts';
import { lotValuesSql } from './lot-values-sql.ts';
import {
  countsColumnsSql,
  currentSnapshot,
  type PortfolioRow,
  type SnapshotRow,
  snapshotColumnsSql,
} from './portfolio.query.ts';
import { type CountsRow, statusOf } from './portfolio-status.ts';

export interface PortfolioListQuery {
  /** Newest first: a user's own, or all for an operator. Three statements, however many portfolios. */
  list(query: PortfoliosQuery, viewer: Viewer): Promise<z.infer<typeof portfoliosViewSchema>>;
}

export function portfolioListQuery(database: Database): PortfolioListQuery {
  return {
    async list({ limit, cursor }, viewer) {
      const everybody = viewer.role === 'operator';
      const rows = await database.sql<PortfolioRow>(everybody ? everyPageSql : ownPageSql, [
        cursor ?? null,
        limit + 1,
        ...(everybody ? [] : [viewer.name]),
      ]);
      const page = rows.slice(0, limit);
      const ids = page.map(({ id }) => id);
      // A later read may be newer, never older: a settled portfolio has its symbols in the totals.
      const counts = keyed(await database.sql<CountsRow & Keyed>(countsSql, [ids]));
      const latest = keyed(await database.sql<SnapshotRow & Keyed>(latestSql, [ids]));
      // A lot may have been priced since the count.
      const doubtful = ids.filter((id) => latest.has(id) && counts.get(id)?.priced === 0);
      const again = doubtful.length > 0 ? await database.sql<CountsRow & Keyed>(countsSql, [doubtful]) : [];
      for (const { portfolio_id, priced } of again) Object.assign(counts.get(portfolio_id)!, { priced });
      const portfolios = page.flatMap((row) => {
        const counted = counts.get(row.id);
        if (!counted) return []; // deleted since the page was read: every portfolio has lots
        return {
          portfolio_id: row.id,
          name: row.name,
          base_currency: row.base_currency,
          owner: row.owner,
          status: statusOf(counted),
          lot_count: counted.lots,
          snapshot: currentSnapshot(latest.get(row.id), counted),
          created_at: new Date(row.created_at).toISOString(),
          updated_at: new Date(row.updated_at).toISOString(),
        };
      });
      return { portfolios, next_cursor: rows.length > limit ? page.at(-1)!.id : null };
    },
  };
}

interface Keyed {
  portfolio_id: string;
}

const keyed = <Row extends Keyed>(rows: readonly Row[]) =>
  new Map(rows.map((row) => [row.portfolio_id, row]));

// Two statements, so that each uses its own index.
const pageSql = (whose: string) => `
  select id, name, owner, base_currency, created_at, updated_at from portfolios
  where ($1::uuid is null or id < $1::uuid) ${whose} order by id desc limit $2`;
const everyPageSql = pageSql('');
const ownPageSql = pageSql('and owner = $3');

const countsSql = `select portfolio_id, ${countsColumnsSql} from (${lotValuesSql}) lots group by portfolio_id`;

const latestSql = `
  select distinct on (portfolio_id) portfolio_id, ${snapshotColumnsSql} from portfolio_snapshots
  where portfolio_id = any($1::uuid[]) order by portfolio_id, snapshot_date desc`;
