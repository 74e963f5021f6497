import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** Twelve rows per symbol and calculation date: SPEC section 6. */
export const SymbolFactorExposure = defineEntity({
  name: 'SymbolFactorExposure',
  tableName: 'symbol_factor_exposures',
  properties: {
    symbol: p.string().primary().length(32),
    calculationDate: p.date().primary(),
    factor: p.string().primary().length(32),
    factorGroup: p.string().length(16),
    method: p.string().length(8),
    beta: p.double(),
    rawBeta: p.double(),
    capped: p.boolean(),
    intercept: p.double().nullable(),
    standardError: p.double().nullable(),
    t: p.double().nullable(),
    intervalLow: p.double().nullable(),
    intervalHigh: p.double().nullable(),
    rSquared: p.double().nullable(),
    conditionNumber: p.double().nullable(),
    observations: p.integer(),
    windowDays: p.integer(),
    windowStart: p.date().nullable(),
    windowEnd: p.date().nullable(),
    quality: p.string().length(16),
    reason: p.string().length(32).nullable(),
    warnings: p.json<string[]>().defaultRaw(`'[]'::jsonb`),
    proxyVersion: p.date().nullable(),
  },
});
export type SymbolFactorExposure = InferEntity<typeof SymbolFactorExposure>;
