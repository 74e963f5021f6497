import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

const numeric = () => p.decimal('string').columnType('numeric');

/** Daily bars of completed sessions, in the major currency. `adjustedClose` is used for returns only. */
export const Price = defineEntity({
  name: 'Price',
  tableName: 'prices',
  properties: {
    symbol: p.string().primary().length(32),
    date: p.date().primary(),
    open: numeric().nullable(),
    high: numeric().nullable(),
    low: numeric().nullable(),
    close: numeric(),
    adjustedClose: p.double(),
    volume: numeric().nullable(),
  },
});
export type Price = InferEntity<typeof Price>;

/** Splits and dividends, as the provider reports them with the bars. */
export const CorporateActionRow = defineEntity({
  name: 'CorporateAction',
  tableName: 'corporate_actions',
  properties: {
    symbol: p.string().primary().length(32),
    date: p.date().primary(),
    kind: p.string().primary().length(8),
    numerator: numeric().nullable(),
    denominator: numeric().nullable(),
    amount: numeric().nullable(),
  },
});

/** The eight factor proxies as of one completed New York session. A row never changes. */
export const ProxySetRow = defineEntity({
  name: 'ProxySet',
  tableName: 'proxy_sets',
  properties: {
    version: p.date().primary(),
    closes: p.json<unknown>(),
    createdAt: p.datetime(6).defaultRaw('now()'),
  },
});
