import { Migration } from '@mikro-orm/migrations';

/**
 * Counts of jobs by status, kept by triggers: nodes of the version before, which run on during a rolling update, are
 * counted too. Creating a trigger waits for the transactions that write jobs and keeps new ones out, so that the first
 * count misses none of them.
 */
export class Migration20261128110000 extends Migration {
  override name = 'Migration20261128110000';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "onboarding_job_counts" ("id" bigserial primary key, "status" varchar(16) not null, "n" bigint not null);`,
    );
    for (const { event, each, body } of triggers) {
      this.addSql(
        `create or replace function "onboarding_jobs_counted_${event}_fn"() returns trigger as $$ begin ${body}; return null; end; $$ language plpgsql;`,
      );
      this.addSql(
        `create trigger "counted_${event}" AFTER ${event} on "onboarding_jobs" for each ${each} execute function "onboarding_jobs_counted_${event}_fn"();`,
      );
    }
    this.addSql(
      `insert into onboarding_job_counts (status, n) select status, count(*) from onboarding_jobs group by status;`,
    );
  }

  override down(): void | Promise<void> {
    for (const { event } of triggers) {
      this.addSql(`drop trigger if exists "counted_${event}" on "onboarding_jobs";`);
      this.addSql(`drop function if exists "onboarding_jobs_counted_${event}_fn"();`);
    }
    this.addSql(`drop table if exists "onboarding_job_counts" cascade;`);
  }
}

const add = 'insert into onboarding_job_counts (status, n) values';

// The ORM does not see the trigger of TRUNCATE, so the entity has the other three only.
const triggers = [
  { event: 'insert', each: 'row', body: `${add} (new.status, 1)` },
  {
    event: 'update',
    each: 'row',
    body: `if old.status <> new.status then ${add} (old.status, -1), (new.status, 1); end if`,
  },
  { event: 'delete', each: 'row', body: `${add} (old.status, -1)` },
  { event: 'truncate', each: 'statement', body: 'delete from onboarding_job_counts' },
] as const;
