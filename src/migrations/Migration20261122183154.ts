import { Migration } from '@mikro-orm/migrations';

export class Migration20261122183154 extends Migration {
  override name = 'Migration20261122183154';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "idempotency_keys" ("owner" varchar(128) not null, "key" varchar(255) not null, "fingerprint" varchar(64) not null, "token" uuid not null, "locked_until" timestamptz(6) not null, "expires_at" timestamptz(6) not null, "answer" jsonb null, "created_at" timestamptz(6) not null default now(), primary key ("owner", "key"));`,
    );
    this.addSql(`create index "idempotency_keys_expires_at" on "idempotency_keys" ("expires_at");`);

    this.addSql(
      `create table "tickets" ("hash" varchar(64) not null, "name" varchar(128) not null, "role" varchar(16) not null, "expires_at" timestamptz(6) not null, primary key ("hash"));`,
    );
    this.addSql(`create index "tickets_expires_at" on "tickets" ("expires_at");`);

    this.addSql(`create index "onboarding_jobs_outcome" on "onboarding_jobs" ("outcome", "id");`);
    this.addSql(`create index "onboarding_jobs_error_code" on "onboarding_jobs" ("error_code", "id");`);
    this.addSql(`create index "onboarding_jobs_finished_at" on "onboarding_jobs" ("finished_at");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "idempotency_keys" cascade;`);
    this.addSql(`drop table if exists "tickets" cascade;`);

    this.addSql(`drop index "onboarding_jobs_outcome";`);
    this.addSql(`drop index "onboarding_jobs_error_code";`);
    this.addSql(`drop index "onboarding_jobs_finished_at";`);
  }
}
