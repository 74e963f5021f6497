import { Migration } from '@mikro-orm/migrations';

export class Migration20261125221910 extends Migration {
  override name = 'Migration20261125221910';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "portfolio_rates" ("portfolio_id" uuid not null, "symbol" varchar(32) not null, "since" date not null, "rated_version" int null, primary key ("portfolio_id", "symbol"));`,
    );
    this.addSql(`create index "portfolio_rates_symbol" on "portfolio_rates" ("symbol", "portfolio_id");`);

    this.addSql(`alter table "positions" add "value_rate" numeric null, add "cost_rate" numeric null;`);

    this.addSql(`alter table "symbol_universe" add "history_from" date null, add "refreshed_for" date null;`);

    this.addSql(
      `alter table "portfolio_rates" add constraint "portfolio_rates_portfolio_id_foreign" foreign key ("portfolio_id") references "portfolios" ("id") on delete cascade;`,
    );
    // What is stored was asked for with its first bar.
    this.addSql(`update "symbol_universe" set "history_from" = "first_price_date";`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "portfolio_rates" cascade;`);

    this.addSql(`alter table "positions" drop column "value_rate", drop column "cost_rate";`);

    this.addSql(`alter table "symbol_universe" drop column "history_from", drop column "refreshed_for";`);
  }
}
