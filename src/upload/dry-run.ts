import type { SnapshotView } from '../contract/schemas.ts';
import type { DryRunAnswer, UploadInput } from '../contract/service.ts';
import { lastNewYorkSession } from '../market/sessions.ts';
import { decideAdmission } from '../onboarding/admission/decide-admission.ts';
import type { Lot } from '../portfolio/lots.ts';
import type { Conversion, RateQuery } from '../portfolio/rate.query.ts';
import { type Currencies, currenciesOfLot, quotedSymbols, ratesNeeded } from '../portfolio/rates-needed.ts';
import { type PricedLot, type SnapshotTotals, snapshotTotals } from '../portfolio/snapshot.ts';
import type { Quotes } from '../universe/quote.ts';
import type { UniverseStore } from '../universe/universe.store.ts';
import { type AssessmentPorts, assessUpload, remarkOf } from './assess-upload.ts';
import { marketRemarks } from './price-warnings.ts';
import { readUploadNeeds } from './read-needs.ts';
import { wantedBy } from './wanted-jobs.ts';

export interface DryRunPorts extends AssessmentPorts {
  universe: Pick<UniverseStore, 'states' | 'quotes'>;
  rates: RateQuery;
  /** The symbols with an unfinished job, over the whole cluster. */
  unfinished(): Promise<string[]>;
  /** Estimated seconds until a full queue has room. */
  retryAfterSeconds(): Promise<number>;
}

/**
 * The outcome that an upload would have now: the same verdict, warnings and pending symbols, and the totals of its first
 * snapshot. Reads only: it takes no locks and saves nothing.
 */
export async function dryRun(ports: DryRunPorts, input: UploadInput): Promise<DryRunAnswer> {
  const assessed = await assessUpload(ports, input);
  if (assessed.kind !== 'approved') return assessed;
  const { lots, instruments, warnings } = assessed;
  const { baseCurrency } = input;

  // Read again, as an upload does under its locks: the verification may have taken long.
  const needs = await readUploadNeeds(ports, { lots, baseCurrency, instruments });
  const wanted = wantedBy(needs);
  const unfinished = new Set(wanted.length > 0 ? await ports.unfinished() : []);
  const admission = decideAdmission(wanted, { unfinished, depthMax: ports.depthMax });
  if (admission.kind === 'queue_full') {
    return { ...admission, retry_after_seconds: await ports.retryAfterSeconds() };
  }
  if (admission.kind !== 'admissible') return admission;

  const pending = [...admission.joined, ...admission.added].map(({ symbol }) => symbol).sort();
  const awaited = new Set(pending);
  const stored = await ports.universe.quotes(quotedSymbols(lots));
  const verified = instruments.map(
    ({ symbol, currency }) => [symbol, { symbol, currency, ...noPrice }] as const,
  );
  const quotes: Quotes = new Map([...verified, ...stored]);
  const isAwaited = (symbol: string) => awaited.has(symbol);
  const totals = snapshotTotals({
    lots: await pricedLots(ports, lots, { quotes, baseCurrency, isAwaited }),
    baseCurrency,
    session: lastNewYorkSession(ports.clock.now()),
  });
  return {
    kind: 'accepted',
    lot_count: lots.length,
    pending_symbols: pending,
    warnings: [...warnings, ...marketRemarks(lots, { quotes, baseCurrency }).map(remarkOf)],
    snapshot: totals && snapshotView(totals, ports.clock.now()),
  };
}

const noPrice = { lastClose: null, priceDate: null, splits: [] };

/** The market data to value lots with. */
interface Market {
  quotes: Quotes;
  baseCurrency: string;
  isAwaited(symbol: string): boolean;
}

async function pricedLots(
  { rates }: Pick<DryRunPorts, 'rates'>,
  lots: readonly Lot[],
  market: Market,
): Promise<PricedLot[]> {
  const currencies = new Map([...market.quotes.values()].map(({ symbol, currency }) => [symbol, currency]));
  const quoted = lots.map((lot) => quotedLot(lot, { ...market, currencies }));
  const stored = await rates(quoted.flatMap(({ conversions: { value, cost } }) => [value, cost]));
  return quoted.map(({ lot, conversions, ...rest }, index) => {
    const [value, cost] = [stored[index * 2]!, stored[index * 2 + 1]!];
    const isForeignCash = conversions.value?.date === null;
    return {
      ...{ ...lot, ...rest, valueRate: value.rate, costRate: cost.rate },
      ...(isForeignCash && { priceDate: value.date }),
    };
  });
}

function quotedLot(
  lot: Lot,
  { quotes, baseCurrency, isAwaited, currencies }: Market & { currencies: Currencies },
) {
  const { symbolCurrency, value, cost } = currenciesOfLot(lot, { baseCurrency, currencies });
  const quote = lot.investmentClass === 'PUBLIC' && lot.needs !== null ? quotes.get(lot.needs) : undefined;
  const priceDate = quote?.priceDate ?? null;
  const conversion = (from: string | null, date: string | null): Conversion | null =>
    from === null || from === baseCurrency ? null : { from, to: baseCurrency, date };
  const isCash = lot.investmentClass === 'CASH';
  const valued = lot.exitDate !== null || isCash || priceDate !== null;
  return {
    lot,
    symbolCurrency,
    lastClose: quote?.lastClose ?? null,
    priceDate,
    isPending: lot.needs !== null && isAwaited(lot.needs),
    isRatePending: [...ratesNeeded([lot], { baseCurrency, currencies }).keys()].some(isAwaited),
    conversions: {
      value: valued ? conversion(value, lot.exitDate ?? priceDate) : null,
      cost: conversion(cost, lot.entryDate),
    },
  };
}

const snapshotView = (totals: SnapshotTotals, now: number): SnapshotView => ({
  snapshot_date: totals.snapshotDate!, // a session was given
  total_value: totals.totalValue,
  total_cost: totals.totalCost,
  total_pnl: totals.totalPnl,
  pnl_percent: totals.pnlPercent,
  long_value: totals.longValue,
  short_value: totals.shortValue,
  gross_exposure: totals.grossExposure,
  net_exposure: totals.netExposure,
  realized_pnl: totals.realizedPnl,
  position_count: totals.positionCount,
  unpriced_count: totals.unpricedCount,
  pending_count: totals.pendingCount,
  missing_fx_count: totals.missingFxCount,
  coverage: totals.coverage,
  is_complete: totals.isComplete,
  oldest_price_date: totals.oldestPriceDate!,
  computed_at: new Date(now).toISOString(),
  revision: 1,
});
