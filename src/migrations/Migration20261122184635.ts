import { Migration } from '@mikro-orm/migrations';

export class Migration20261122184635 extends Migration {
  override name = 'Migration20261122184635';

  override up(): void | Promise<void> {
    this.addSql(`create index "onboarding_jobs_reason" on "onboarding_jobs" ("reason", "id");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "onboarding_jobs_reason";`);
  }
}
