import { Migration } from '@mikro-orm/migrations';

export class Migration20261125231111 extends Migration {
  override name = 'Migration20261125231111';

  override up(): void | Promise<void> {
    this.addSql(`alter table "symbol_universe" add "wanted_from" date null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "symbol_universe" drop column "wanted_from";`);
  }
}
