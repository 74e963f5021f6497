import { Migration } from '@mikro-orm/migrations';

/** Indexes for the statements that run all the time on tables that grow. */
export class Migration20261128120000 extends Migration {
  override name = 'Migration20261128120000';

  override up(): void | Promise<void> {
    this.addSql(
      `create index "onboarding_jobs_to_cancel" on "onboarding_jobs" ("id") where cancel_requested_at is not null and status in ('pending', 'processing');`,
    );

    this.addSql(`create index "symbol_universe_bytes" on "symbol_universe" ("symbol" collate "C");`);
    this.addSql(
      `create index "symbol_universe_due" on "symbol_universe" ("time_zone", "session_end", ("type" = 'CRYPTOCURRENCY'), "last_price_date") where "is_active";`,
    );
    this.addSql(
      `create index "symbol_universe_shallow" on "symbol_universe" ("symbol" collate "C") where "is_active" and "wanted_from" < "history_from";`,
    );
    this.addSql(
      `create index "symbol_universe_unmeasured" on "symbol_universe" ("symbol" collate "C") where "quality_reason" = 'reference_unavailable';`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "onboarding_jobs_to_cancel";`);

    this.addSql(`drop index "symbol_universe_bytes";`);
    this.addSql(`drop index "symbol_universe_due";`);
    this.addSql(`drop index "symbol_universe_shallow";`);
    this.addSql(`drop index "symbol_universe_unmeasured";`);
  }
}
