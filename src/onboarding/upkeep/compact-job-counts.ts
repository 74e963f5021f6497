import type { Database } from '../../database/database.orm.ts';

/** Triggers append rows to the job counts. Once there are more than 100, this sums them up to one row per status. */
export async function compactJobCounts(database: Database): Promise<void> {
  await database.sql(compactSql);
}

// Safe on two nodes at once: each sums only the rows that it has deleted itself.
const compactSql = `
  with gone as (
    delete from onboarding_job_counts where (select count(*) from onboarding_job_counts) > 100 returning status, n
  )
  insert into onboarding_job_counts (status, n) select status, sum(n) from gone group by status`;
