import { Migration } from '@mikro-orm/migrations';

/** A job may stay in one state for longer than the 24.8 days that an integer has milliseconds for. */
export class Migration20261128100000 extends Migration {
  override name = 'Migration20261128100000';

  override up(): void | Promise<void> {
    this.addSql(`alter table "onboarding_transitions" alter column "duration_ms" type bigint;`);
  }

  override down(): void | Promise<void> {
    this.addSql(
      `alter table "onboarding_transitions" alter column "duration_ms" type int4 using (least("duration_ms", 2147483647)::int4);`,
    );
  }
}
