import { type Database, entityManager, type Transaction } from '../database/database.orm.ts';
import type { Lot } from './lots.ts';
import { Portfolio } from './portfolio.entity.ts';

export interface NewPortfolio {
  id: string;
  owner: string;
  name: string;
  baseCurrency: string;
  lots: readonly (Lot & { id: string })[];
}

export interface PortfolioStore {
  /** Saves a portfolio with all its lots. It is invisible until the transaction commits. */
  insert(portfolio: NewPortfolio, options: { on: Transaction }): Promise<void>;
  /**
   * Deletes a portfolio with its lots and snapshots. False if it does not exist or has another owner (null: any owner).
   * Locks the portfolio's row first, as every change of it does.
   */
  remove(portfolioId: string, options: { owner: string | null }): Promise<boolean>;
}

// PGlite runs in this process: one statement of 5000 lots would block timers and sockets for 0.1 s.
const lotsPerStatement = { embedded: 500, server: 5000 };

export function portfolioStore(database: Database): PortfolioStore {
  const batch = database.pglite ? lotsPerStatement.embedded : lotsPerStatement.server;
  return {
    async insert({ id, owner, name, baseCurrency, lots }, { on }) {
      await entityManager(on).insert(Portfolio, { id, owner, name, baseCurrency });
      for (let start = 0; start < lots.length; start += batch) {
        const rows = JSON.stringify(lots.slice(start, start + batch));
        await database.sql(insertLotsSql, [id, rows], { on });
      }
    },
    remove: (portfolioId, { owner }) =>
      database.transaction(async (on) => {
        const [row] = await database.sql(
          'select id from portfolios where id = $1::uuid and ($2::text is null or owner = $2) for update',
          [portfolioId, owner],
          { on },
        );
        if (!row) return false;
        // Foreign keys cascade to its lots and snapshots.
        await database.sql('delete from portfolios where id = $1::uuid', [portfolioId], { on });
        return true;
      }),
  };
}

const insertLotsSql = `
  insert into positions (id, portfolio_id, line, symbol, needs_symbol, investment_class, investment_subtype,
    underlying_symbol, strike_price, expiration_date, option_type, quantity, multiplier, currency, entry_price,
    entry_date, exit_date, exit_price)
  select r.id, $1::uuid, r.line, r.symbol, r.needs, r."investmentClass", r."investmentSubtype", r."underlyingSymbol",
    r."strikePrice", r."expirationDate", r."optionType", r.quantity, r.multiplier, r.currency, r."entryPrice",
    r."entryDate", r."exitDate", r."exitPrice"
  from jsonb_to_recordset($2::jsonb) as r(id uuid, line int, symbol text, needs text, "investmentClass" text,
    "investmentSubtype" text, "underlyingSymbol" text, "strikePrice" numeric, "expirationDate" date,
    "optionType" text, quantity numeric, multiplier int, currency text, "entryPrice" numeric, "entryDate" date,
    "exitDate" date, "exitPrice" numeric)`;
