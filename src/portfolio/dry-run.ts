import type { SnapshotView } from '../api/schemas.ts';
import type { DryRunAnswer, UploadInput } from '../api/service.ts';
import { lastNewYorkSession } from '../market/sessions.ts';
import { decideAdmission, wantedBy } from '../onboarding/admission.ts';
import { readNeeds } from '../universe/needs.ts';
import type { UniverseStore } from '../universe/universe.store.ts';
import { type AssessmentPorts, assessUpload, remarkOf } from './assessment.ts';
import type { Lot } from './lots.ts';
import { marketRemarks, type Quotes } from './market-remarks.ts';
import { type PricedLot, type SnapshotTotals, snapshotTotals } from './snapshot.ts';

export interface DryRunPorts extends AssessmentPorts {
  universe: Pick<UniverseStore, 'states' | 'quotes'>;
  /** The symbols with an unfinished job, over the whole cluster. */
  unfinished(): Promise<string[]>;
  /** Seconds until a full queue is likely to have room. */
  retryAfterSeconds(): Promise<number>;
}

/**
 * Says what an upload would come to, were it sent now: the same verdict, warnings and symbols to wait for, and the
 * totals that its first snapshot would have. Reads only, so it waits for nobody and leaves nothing behind.
 */
export async function dryRun(ports: DryRunPorts, input: UploadInput): Promise<DryRunAnswer> {
  const assessed = await assessUpload(ports, input);
  if (assessed.kind !== 'approved') return assessed;
  const { lots, instruments, warnings } = assessed;
  const { baseCurrency } = input;

  // Read again, as an upload does under its locks: the provider may have taken its time.
  const detection = await readNeeds(ports, lots);
  const wanted = wantedBy(detection);
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
  const totals = snapshotTotals({
    lots: lots.map((lot) => pricedLot(lot, quotes, awaited)),
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

const noPrice = { lastClose: null, priceDate: null };

function pricedLot(lot: Lot, quotes: Quotes, awaited: ReadonlySet<string>): PricedLot {
  const quote = quotes.get(quotedSymbol(lot) ?? '');
  const isPriced = lot.investmentClass === 'PUBLIC' && lot.needs !== null;
  return {
    ...lot,
    symbolCurrency: lot.investmentClass === 'CASH' ? lot.symbol : (quote?.currency ?? null),
    lastClose: (isPriced && quote?.lastClose) || null,
    priceDate: (isPriced && quote?.priceDate) || null,
    isPending: lot.needs !== null && awaited.has(lot.needs),
  };
}

/** The symbol whose currency a lot is in; a closed lot needs no price, and yet its gain is in some currency. */
const quotedSymbol = (lot: Lot): string | null =>
  lot.needs ?? (lot.investmentClass === 'PUBLIC' ? lot.symbol : lot.underlyingSymbol);

const quotedSymbols = (lots: readonly Lot[]): string[] => [
  ...new Set(lots.flatMap((lot) => quotedSymbol(lot) ?? [])),
];

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
