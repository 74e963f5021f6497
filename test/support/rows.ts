import type { Database } from '../../src/database.ts';

/** How many rows there are of everything that an upload may leave behind, the feed's position included. */
export async function countRows(database: Database): Promise<Record<string, number>> {
  const [row] = await database.sql<Record<string, string>>(`
    select (select count(*) from portfolios) as portfolios, (select count(*) from positions) as positions,
      (select count(*) from portfolio_snapshots) as snapshots, (select count(*) from symbol_universe) as universe,
      (select count(*) from onboarding_jobs) as jobs, (select count(*) from onboarding_transitions) as transitions,
      (select count(*) from pgboss.job where state in ('created', 'retry', 'active')) as queued,
      (select position from feed_head) as position`);
  return Object.fromEntries(Object.entries(row!).map(([name, count]) => [name, Number(count)]));
}
