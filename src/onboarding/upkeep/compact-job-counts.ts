import type { Database } from '../../database/database.orm.ts';

/** Makes one row per status of the rows that triggers have added to the counts of jobs, once there are many. */
export async function compactJobCounts(database: Database): Promise<void> {
  await database.sql(compactSql);
}

// Two nodes at once add up nothing twice: each sums the rows that it has deleted itself.
const compactSql = `
  with gone as (
    delete from onboarding_job_counts where (select count(*) from onboarding_job_counts) > 100 returning status, n
  )
  insert into onboarding_job_counts (status, n) select status, sum(n) from gone group by status`;
