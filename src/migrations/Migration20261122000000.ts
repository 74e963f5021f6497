import { Migration } from '@mikro-orm/migrations';

export class Migration20261122000000 extends Migration {
  override name = 'Migration20261122000000';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "corporate_actions" ("symbol" varchar(32) not null, "date" date not null, "kind" varchar(8) not null, "numerator" numeric null, "denominator" numeric null, "amount" numeric null, primary key ("symbol", "date", "kind"));`,
    );

    this.addSql(
      `create table "feed_head" ("id" smallint primary key, "position" bigint not null default '0', "floor" bigint not null default '0');`,
    );

    this.addSql(
      `create table "onboarding_jobs" ("id" uuid not null, "symbol" varchar(32) not null, "reason" varchar(16) not null, "requested_by" varchar(128) null, "status" varchar(16) not null, "state" varchar(64) not null, "outcome" varchar(16) null, "phase" varchar(16) not null, "attempt" int not null default 1, "retry_at" timestamptz(3) null, "waited_ms" bigint not null default '0', "partial" boolean not null default false, "degraded" varchar(32) null, "results" jsonb not null default '{}', "resumes" int not null default 0, "sequence" int not null default 0, "claim_epoch" int not null default 0, "node" varchar(128) null, "queue_entry" uuid null, "universe_committed_at" timestamptz(6) null, "cancel_requested_at" timestamptz(6) null, "error_code" varchar(64) null, "error_message" text null, "error_phase" varchar(16) null, "machine_version" int not null, "actor_snapshot" jsonb null, "created_at" timestamptz(6) not null default now(), "started_at" timestamptz(6) null, "finished_at" timestamptz(6) null, "updated_at" timestamptz(6) not null default now(), primary key ("id"));`,
    );
    this.addSql(
      `create unique index "onboarding_jobs_unfinished_symbol" on "onboarding_jobs" ("symbol") where status in ('pending', 'processing');`,
    );
    this.addSql(`create index "onboarding_jobs_symbol" on "onboarding_jobs" ("symbol", "id");`);
    this.addSql(`create index "onboarding_jobs_status" on "onboarding_jobs" ("status", "id");`);

    this.addSql(
      `create table "onboarding_transitions" ("job_id" uuid not null, "sequence" int not null, "position" bigint not null, "symbol" varchar(32) not null, "from_state" varchar(64) null, "to_state" varchar(64) not null, "event" varchar(96) not null, "attempt" int not null, "duration_ms" int null, "node" varchar(128) null, "claim_epoch" int not null, "error_code" varchar(64) null, "error_message" text null, "actor_snapshot" jsonb null, "at" timestamptz(6) not null default clock_timestamp(), primary key ("job_id", "sequence"));`,
    );
    this.addSql(
      `alter table "onboarding_transitions" add constraint "onboarding_transitions_position_unique" unique ("position");`,
    );
    this.addSql(`create index "onboarding_transitions_at" on "onboarding_transitions" ("at");`);

    this.addSql(
      `create table "portfolios" ("id" uuid not null, "owner" varchar(128) not null, "name" varchar(200) not null, "base_currency" varchar(3) not null, "created_at" timestamptz(6) not null default now(), "updated_at" timestamptz(6) not null default now(), primary key ("id"));`,
    );
    this.addSql(`create index "portfolios_owner_id" on "portfolios" ("owner", "id");`);

    this.addSql(
      `create table "portfolio_snapshots" ("portfolio_id" uuid not null, "snapshot_date" date not null, "total_value" numeric not null, "total_cost" numeric not null, "total_pnl" numeric not null, "pnl_percent" numeric null, "long_value" numeric not null, "short_value" numeric not null, "gross_exposure" numeric not null, "net_exposure" numeric not null, "realized_pnl" numeric null, "position_count" int not null, "unpriced_count" int not null, "pending_count" int not null, "missing_fx_count" int not null, "coverage" numeric null, "is_complete" boolean not null, "oldest_price_date" date not null, "computed_at" timestamptz(6) not null, "revision" int not null, "feed_position" bigint null, "previous" jsonb null, "cause" varchar(32) null, primary key ("portfolio_id", "snapshot_date"));`,
    );
    this.addSql(`create index "portfolio_snapshots_position" on "portfolio_snapshots" ("feed_position");`);

    this.addSql(
      `create table "positions" ("id" uuid not null, "portfolio_id" uuid not null, "line" int not null, "symbol" varchar(64) not null, "needs_symbol" varchar(32) null, "investment_class" varchar(8) not null, "investment_subtype" varchar(64) null, "underlying_symbol" varchar(32) null, "strike_price" numeric null, "expiration_date" date null, "option_type" varchar(4) null, "quantity" numeric not null, "multiplier" int not null, "currency" varchar(3) null, "entry_price" numeric not null, "entry_date" date not null, "exit_date" date null, "exit_price" numeric null, "last_close" numeric null, "price_date" date null, "priced_version" int null, primary key ("id"));`,
    );
    this.addSql(`create index "positions_portfolio_line" on "positions" ("portfolio_id", "line");`);
    this.addSql(
      `create index "positions_open_symbol" on "positions" ("needs_symbol", "portfolio_id") where exit_date is null;`,
    );

    this.addSql(
      `create table "prices" ("symbol" varchar(32) not null, "date" date not null, "open" numeric null, "high" numeric null, "low" numeric null, "close" numeric not null, "adjusted_close" double precision not null, "volume" numeric null, primary key ("symbol", "date"));`,
    );

    this.addSql(
      `create table "proxy_sets" ("version" date not null, "closes" jsonb not null, "created_at" timestamptz(6) not null default now(), primary key ("version"));`,
    );

    this.addSql(
      `create table "service_state" ("key" varchar(64) not null, "value" jsonb not null, primary key ("key"));`,
    );

    this.addSql(
      `create table "symbol_factor_exposures" ("symbol" varchar(32) not null, "calculation_date" date not null, "factor" varchar(32) not null, "factor_group" varchar(16) not null, "method" varchar(8) not null, "beta" double precision not null, "raw_beta" double precision not null, "capped" boolean not null, "intercept" double precision null, "standard_error" double precision null, "t" double precision null, "interval_low" double precision null, "interval_high" double precision null, "r_squared" double precision null, "condition_number" double precision null, "observations" int not null, "window_days" int not null, "window_start" date null, "window_end" date null, "quality" varchar(16) not null, "reason" varchar(32) null, "warnings" jsonb not null default '[]', "proxy_version" date null, primary key ("symbol", "calculation_date", "factor"));`,
    );

    this.addSql(
      `create table "symbol_universe" ("symbol" varchar(32) not null, "is_active" boolean not null default false, "ready_at" timestamptz(6) null, "name" text null, "type" varchar(16) null, "currency" varchar(3) null, "exchange" varchar(32) null, "time_zone" varchar(64) null, "session_end" varchar(5) null, "provider" varchar(16) null, "first_price_date" date null, "last_price_date" date null, "last_price" numeric null, "price_version" int not null default 0, "quality" varchar(16) null, "quality_reason" varchar(32) null, "calculation_date" date null, "created_at" timestamptz(6) not null default now(), "updated_at" timestamptz(6) not null default now(), primary key ("symbol"));`,
    );

    this.addSql(
      `alter table "onboarding_transitions" add constraint "onboarding_transitions_job_id_foreign" foreign key ("job_id") references "onboarding_jobs" ("id") on delete cascade;`,
    );

    this.addSql(
      `alter table "portfolio_snapshots" add constraint "portfolio_snapshots_portfolio_id_foreign" foreign key ("portfolio_id") references "portfolios" ("id") on delete cascade;`,
    );

    this.addSql(
      `alter table "positions" add constraint "positions_portfolio_id_foreign" foreign key ("portfolio_id") references "portfolios" ("id") on delete cascade;`,
    );
    this.addSql(`insert into "feed_head" ("id") values (1);`);
  }

  override down(): void | Promise<void> {
    this.addSql(
      `alter table "onboarding_transitions" drop constraint "onboarding_transitions_job_id_foreign";`,
    );
    this.addSql(
      `alter table "portfolio_snapshots" drop constraint "portfolio_snapshots_portfolio_id_foreign";`,
    );
    this.addSql(`alter table "positions" drop constraint "positions_portfolio_id_foreign";`);

    this.addSql(`drop table if exists "corporate_actions" cascade;`);
    this.addSql(`drop table if exists "feed_head" cascade;`);
    this.addSql(`drop table if exists "onboarding_jobs" cascade;`);
    this.addSql(`drop table if exists "onboarding_transitions" cascade;`);
    this.addSql(`drop table if exists "portfolios" cascade;`);
    this.addSql(`drop table if exists "portfolio_snapshots" cascade;`);
    this.addSql(`drop table if exists "positions" cascade;`);
    this.addSql(`drop table if exists "prices" cascade;`);
    this.addSql(`drop table if exists "proxy_sets" cascade;`);
    this.addSql(`drop table if exists "service_state" cascade;`);
    this.addSql(`drop table if exists "symbol_factor_exposures" cascade;`);
    this.addSql(`drop table if exists "symbol_universe" cascade;`);
  }
}
