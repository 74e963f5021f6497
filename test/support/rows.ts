import type { Database } from '../../src/database/database.orm.ts';

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

// What the upkeep of a running node rewrites each minute is left out: a reconciler notes that it has looked, and the counts
// of jobs are summed up.
const unchanging: Record<string, string> = {
  'public.service_state': `(select * from service_state where key <> 'reconciler')`,
  'public.onboarding_job_counts': '(select status, sum(n) as n from onboarding_job_counts group by status)',
};

/** What is in every table of the service and in its queue, one fingerprint per table. */
export async function fingerprints(database: Database): Promise<Record<string, string>> {
  const tables = await database.sql<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and (table_schema = 'public' or (table_schema, table_name) = ('pgboss', 'job'))`,
  );
  const found: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await database.sql<{ mark: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '') as mark
       from ${unchanging[name] ?? name} t`,
    );
    found[name] = row!.mark;
  }
  return found;
}
