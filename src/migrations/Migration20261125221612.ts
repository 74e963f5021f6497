import { Migration } from '@mikro-orm/migrations';

export class Migration20261125221612 extends Migration {
  override name = 'Migration20261125221612';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "cluster_permits" ("id" int not null, "job_id" uuid null, "claim_epoch" int null, primary key ("id"));`,
    );
    this.addSql(
      `alter table "cluster_permits" add constraint "cluster_permits_job_id_unique" unique ("job_id");`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "cluster_permits" cascade;`);
  }
}
