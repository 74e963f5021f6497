import { Migration } from '@mikro-orm/migrations';

export class Migration20261125221430 extends Migration {
  override name = 'Migration20261125221430';

  override up(): void | Promise<void> {
    this.addSql(`alter table "onboarding_transitions" add "trace" jsonb null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "onboarding_transitions" drop column "trace";`);
  }
}
