import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

const numeric = () => p.decimal('string').columnType('numeric');

export const Portfolio = defineEntity({
  name: 'Portfolio',
  tableName: 'portfolios',
  indexes: [{ name: 'portfolios_owner_id', properties: ['owner', 'id'] }],
  properties: {
    id: p.uuid().primary(),
    owner: p.string().length(128),
    name: p.string().length(200),
    baseCurrency: p.string().length(3),
    createdAt: p.datetime(6).defaultRaw('now()'),
    updatedAt: p.datetime(6).defaultRaw('now()'),
  },
});
export type Portfolio = InferEntity<typeof Portfolio>;

/**
 * One lot per row, as uploaded, and how it was last priced.
 *
 * `needsSymbol` is the symbol to onboard for it: its own for an open public lot, the underlying for an open option,
 * otherwise null. `pricedVersion` is the universe row's `priceVersion` when it was priced; a lot with another version
 * is due. `valueRate` and `costRate` convert its price and its entry price to the base currency.
 */
export const Position = defineEntity({
  name: 'Position',
  tableName: 'positions',
  indexes: [
    { name: 'positions_portfolio_line', properties: ['portfolioId', 'line'] },
    {
      name: 'positions_open_symbol',
      expression:
        'create index "positions_open_symbol" on "positions" ("needs_symbol", "portfolio_id") where exit_date is null',
    },
  ],
  properties: {
    id: p.uuid().primary(),
    portfolioId: () => p.manyToOne(Portfolio).mapToPk().fieldName('portfolio_id').deleteRule('cascade'),
    line: p.integer(),
    symbol: p.string().length(64),
    needsSymbol: p.string().length(32).nullable(),
    investmentClass: p.string().length(8),
    investmentSubtype: p.string().length(64).nullable(),
    underlyingSymbol: p.string().length(32).nullable(),
    strikePrice: numeric().nullable(),
    expirationDate: p.date().nullable(),
    optionType: p.string().length(4).nullable(),
    quantity: numeric(),
    multiplier: p.integer(),
    currency: p.string().length(3).nullable(),
    entryPrice: numeric(),
    entryDate: p.date(),
    exitDate: p.date().nullable(),
    exitPrice: numeric().nullable(),
    lastClose: numeric().nullable(),
    priceDate: p.date().nullable(),
    pricedVersion: p.integer().nullable(),
    valueRate: numeric().nullable(),
    costRate: numeric().nullable(),
  },
});
export type Position = InferEntity<typeof Position>;

/**
 * The exchange-rate series that convert a portfolio's open lots, from the earliest entry date on. `ratedVersion` is the
 * universe row's `priceVersion` at the conversion; a portfolio with another version is due.
 */
export const PortfolioRate = defineEntity({
  name: 'PortfolioRate',
  tableName: 'portfolio_rates',
  indexes: [{ name: 'portfolio_rates_symbol', properties: ['symbol', 'portfolioId'] }],
  properties: {
    portfolioId: () =>
      p.manyToOne(Portfolio).mapToPk().fieldName('portfolio_id').deleteRule('cascade').primary(),
    symbol: p.string().primary().length(32),
    since: p.date(),
    ratedVersion: p.integer().nullable(),
  },
});
export type PortfolioRate = InferEntity<typeof PortfolioRate>;

/**
 * A portfolio's totals on a price date, recomputed from its lots.
 *
 * `feedPosition` is the feed position of its latest change, `previous` the totals before it, and `cause` the symbol
 * that completed. So 100,000 changed portfolios need no journal rows.
 */
export const PortfolioSnapshot = defineEntity({
  name: 'PortfolioSnapshot',
  tableName: 'portfolio_snapshots',
  indexes: [{ name: 'portfolio_snapshots_position', properties: ['feedPosition'] }],
  properties: {
    portfolioId: () =>
      p.manyToOne(Portfolio).mapToPk().fieldName('portfolio_id').deleteRule('cascade').primary(),
    snapshotDate: p.date().primary(),
    totalValue: numeric(),
    totalCost: numeric(),
    totalPnl: numeric(),
    pnlPercent: numeric().nullable(),
    longValue: numeric(),
    shortValue: numeric(),
    grossExposure: numeric(),
    netExposure: numeric(),
    realizedPnl: numeric().nullable(),
    positionCount: p.integer(),
    unpricedCount: p.integer(),
    pendingCount: p.integer(),
    missingFxCount: p.integer(),
    coverage: numeric().nullable(),
    isComplete: p.boolean(),
    oldestPriceDate: p.date(),
    computedAt: p.datetime(6),
    revision: p.integer(),
    feedPosition: p.bigint('string').nullable(),
    previous: p.json<Record<string, unknown>>().nullable(),
    cause: p.string().length(32).nullable(),
  },
});
export type PortfolioSnapshot = InferEntity<typeof PortfolioSnapshot>;
