import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/**
 * The symbols that the analytics can use, and inactive placeholder rows for those being onboarded.
 *
 * `readyAt` is set in the transaction that records a job's completion. `priceVersion` counts the stored series: a lot
 * priced with an older version is due for repricing. `historyFrom` is the first day of the last request for data that
 * reaches further back than the stored bars: splits, and the whole series of an exchange rate. `wantedFrom` is an
 * earlier day that a lot has needed since. `refreshedFor` is the session of the latest refresh of the universe that
 * included it.
 */
export const SymbolUniverse = defineEntity({
  name: 'SymbolUniverse',
  tableName: 'symbol_universe',
  indexes: [
    // A page in the byte order of symbols, whatever the collation of the database is.
    {
      name: 'symbol_universe_bytes',
      expression: `create index "symbol_universe_bytes" on "symbol_universe" ("symbol" collate "C")`,
    },
    {
      name: 'symbol_universe_due',
      expression:
        `create index "symbol_universe_due" on "symbol_universe" ("time_zone", "session_end", ` +
        `("type" = 'CRYPTOCURRENCY'), "last_price_date") where "is_active"`,
    },
    {
      name: 'symbol_universe_shallow',
      expression:
        `create index "symbol_universe_shallow" on "symbol_universe" ("symbol" collate "C") ` +
        `where "is_active" and "wanted_from" < "history_from"`,
    },
    {
      name: 'symbol_universe_unmeasured',
      expression:
        `create index "symbol_universe_unmeasured" on "symbol_universe" ("symbol" collate "C") ` +
        `where "quality_reason" = 'reference_unavailable'`,
    },
  ],
  properties: {
    symbol: p.string().primary().length(32),
    isActive: p.boolean().default(false),
    readyAt: p.datetime(6).nullable(),
    name: p.text().nullable(),
    type: p.string().length(16).nullable(),
    currency: p.string().length(3).nullable(),
    exchange: p.string().length(32).nullable(),
    timeZone: p.string().length(64).nullable(),
    sessionEnd: p.string().length(5).nullable(),
    provider: p.string().length(16).nullable(),
    firstPriceDate: p.date().nullable(),
    lastPriceDate: p.date().nullable(),
    lastPrice: p.decimal('string').columnType('numeric').nullable(),
    priceVersion: p.integer().default(0),
    historyFrom: p.date().nullable(),
    wantedFrom: p.date().nullable(),
    refreshedFor: p.date().nullable(),
    quality: p.string().length(16).nullable(),
    qualityReason: p.string().length(32).nullable(),
    calculationDate: p.date().nullable(),
    createdAt: p.datetime(6).defaultRaw('now()'),
    updatedAt: p.datetime(6).defaultRaw('now()'),
  },
});
export type SymbolUniverse = InferEntity<typeof SymbolUniverse>;
