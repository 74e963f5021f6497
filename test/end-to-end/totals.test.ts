import Big from 'big.js';
import { beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';
import type {
  DryRunView,
  LotView,
  positionsSchema,
  pricesSchema,
  SnapshotView,
  SymbolView,
} from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { rateBetween, rateSymbolsBetween } from '../../src/market/rates.ts';
import type { InvestmentClass } from '../../src/portfolio/lots.ts';
import { type PricedLot, type SnapshotTotals, snapshotTotals } from '../../src/portfolio/snapshot.ts';
import { type CsvLot, csvOfLots } from '../support/csv.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

// The oracle is fed with what was uploaded and with the last bar of each symbol, never with what the service made
// of the two.

const option = { class: 'OPTIONS', strike: '10', expiration: '2029-01-19', type: 'PUT' } as const;

const mixed: CsvLot[] = [
  { symbol: 'SUM-A', quantity: '0.333333', price: '17.123456' },
  { symbol: 'SUM-A', quantity: '12.000001', price: '0.000001' },
  { symbol: 'SUM-B', quantity: '-7.5', price: '88.88' },
  { symbol: 'SUM-B', quantity: '3', price: '91.005' },
  { symbol: 'BTC-USD', quantity: '0.012345', price: '61234.56' },
  { symbol: 'SOLD', quantity: '10', price: '10.005', exitDate: '2025-03-03', exitPrice: '11.2349' },
  { symbol: 'KEPT', quantity: '4', price: '2', exitDate: '2025-03-03' },
  { symbol: 'FUND', quantity: '1', price: '1000.555', class: 'PRIVATE' },
  { symbol: 'USD', quantity: '-50.005', price: '1', class: 'CASH' },
  { symbol: 'SUM-A290119P00010000', quantity: '-2', price: '1.5', underlying: 'SUM-A', ...option },
];
const foreign: CsvLot[] = [
  { symbol: 'SUM-A', quantity: '5', price: '10' },
  { symbol: 'SUM.L', quantity: '100', price: '250', currency: 'GBp' },
  { symbol: 'SUM.DE', quantity: '3', price: '44.4' },
  { symbol: 'EUR', quantity: '12', price: '1', class: 'CASH' },
  { symbol: 'SUM-B', quantity: '1', price: '70', currency: 'CAD' },
  { symbol: 'SUM.T', quantity: '-2', price: '1500', date: '2024-02-25', currency: 'JPY' },
  { symbol: 'SOLD', quantity: '10', price: '10', exitDate: '2025-03-03', exitPrice: '11', currency: 'EUR' },
];
const stranded: CsvLot[] = [
  { symbol: 'SUM-A', quantity: '5', price: '10' },
  { symbol: 'SUM-B', quantity: '5', price: '10', currency: 'SEK' },
];
const london: CsvLot[] = [
  { symbol: 'SUM.L', quantity: '100', price: '1234.5', currency: 'GBX' },
  { symbol: 'SUM.L', quantity: '-33', price: '12.345' },
  { symbol: 'GBP', quantity: '0.005', price: '1', class: 'CASH' },
];
const tokyo: CsvLot[] = [
  { symbol: 'SUM.T', quantity: '1.5', price: '1000.5' },
  { symbol: 'JPY', quantity: '0.5', price: '1', class: 'CASH' },
];
const short: CsvLot[] = [{ symbol: 'SUM-B', quantity: '-1', price: '150' }];
const broken: CsvLot[] = [
  { symbol: 'GONE', quantity: '10', price: '3' },
  { symbol: 'SUM-A', quantity: '1', price: '3' },
];

describeOnEveryDatabase('totals', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test.each([
    ['of lots, shorts, options, cash, closed and private holdings', 'USD', mixed, 'ready'],
    ['of a portfolio in five currencies', 'USD', foreign, 'ready'],
    ['of the same in euros, by way of the dollar', 'EUR', foreign, 'ready'],
    ['of a portfolio with a currency that nobody quotes', 'USD', stranded, 'partial'],
    ['in pounds of lots entered in pence', 'GBP', london, 'ready'],
    ['in yen, which have no minor unit', 'JPY', tokyo, 'ready'],
    ['of a single short', 'USD', short, 'ready'],
    ['of a portfolio whose symbol failed', 'USD', broken, 'partial'],
  ] as const)('%s equal the sum over its lots, to the last digit', async (_, baseCurrency, lots, status) => {
    const service = await startService(database, { faults: 'GONE=empty,USDSEK=X=empty' });
    const { body } = await service.upload<Uploaded>(csvOfLots(lots), `base_currency=${baseCurrency}`);
    const portfolio = await service.settled(body.portfolio_id);

    expect(portfolio.status).toBe(status);
    const oracle = snapshotTotals({ lots: await pricedLots(service, lots, baseCurrency), baseCurrency });
    expect(totalsOf(portfolio.snapshot!)).toEqual(oracle);
    const { positions } = (
      await service.get<z.infer<typeof positionsSchema>>(`/portfolios/${body.portfolio_id}/positions`)
    ).body;
    expect(positions).toHaveLength(lots.length);
    expectSums(positions, portfolio.snapshot!, baseCurrency);
    if (status !== 'ready') return;
    const dry = await service.upload<DryRunView>(
      csvOfLots(lots),
      `base_currency=${baseCurrency}&dry_run=true`,
    );
    expect(dry.body).toMatchObject({ would: 'ready', pending_symbols: [] });
    expect(totalsOf((dry.body as { snapshot: SnapshotView }).snapshot)).toEqual(oracle);
  });
});

function expectSums(positions: readonly LotView[], snapshot: SnapshotView, baseCurrency: string): void {
  const priced = positions.filter(({ disposition }) => disposition === 'priced');
  const sum = (amounts: readonly (string | null)[]) =>
    amounts.reduce((total, amount) => total.plus(amount!), new Big(0));
  const digits = baseCurrency === 'JPY' ? 0 : 2;
  const value = sum(priced.map(({ market_value }) => market_value));
  const cost = sum(priced.map((lot) => lot.cost));
  const absolute = sum(priced.map((lot) => new Big(lot.cost!).abs().toFixed()));
  expect(snapshot.total_value).toBe(value.toFixed(digits));
  expect(snapshot.total_cost).toBe(cost.toFixed(digits));
  expect(snapshot.pnl_percent).toBe(value.minus(cost).times(100).div(absolute).toFixed(4));
  expect(snapshot.position_count).toBe(priced.length);
  for (const { disposition, market_value, pnl } of positions) {
    if (disposition !== 'priced') expect({ market_value, pnl }).toEqual({ market_value: null, pnl: null });
  }
}

const classOf = (lot: CsvLot) => (lot.class ?? 'PUBLIC') as InvestmentClass;

async function pricedLots(
  service: TestService,
  lots: readonly CsvLot[],
  baseCurrency: string,
): Promise<PricedLot[]> {
  return Promise.all(
    lots.map(async (lot) => {
      const investmentClass = classOf(lot);
      const isMinor = lot.currency === 'GBp' || lot.currency === 'GBX';
      const trades = investmentClass === 'PUBLIC' && lot.exitDate === undefined;
      const last = trades ? await lastBar(service, lot.symbol) : null;
      const named = isMinor ? 'GBP' : (lot.currency ?? (investmentClass === 'CASH' ? lot.symbol : null));
      const symbolCurrency = last?.currency ?? (investmentClass === 'CASH' ? null : 'USD');
      const rate = (from: string | null, date: string | null) =>
        rateOn(service, from ?? baseCurrency, baseCurrency, date);
      const isForeignCash = investmentClass === 'CASH' && named !== baseCurrency;
      const value = await rate(trades ? symbolCurrency : named, lot.exitDate ?? last?.date ?? null);
      const held =
        lot.exitDate !== undefined && lot.currency === undefined && symbolCurrency === 'USD'
          ? baseCurrency
          : symbolCurrency;
      return {
        investmentClass,
        quantity: lot.quantity,
        multiplier: investmentClass === 'OPTIONS' ? 100 : 1,
        entryPrice: isMinor ? new Big(lot.price).div(100).toFixed() : lot.price,
        exitDate: lot.exitDate ?? null,
        exitPrice: lot.exitPrice ?? null,
        currency: named,
        symbolCurrency: held,
        lastClose: last?.close ?? null,
        priceDate: isForeignCash ? value.date : (last?.date ?? null),
        valueRate: value.rate,
        costRate: (await rate(named ?? symbolCurrency, lot.date ?? '2025-01-02')).rate,
        isPending: false,
        isRatePending: false,
      };
    }),
  );
}

/** The rate at the bars on or before a date, or at the latest ones. */
async function rateOn(service: TestService, from: string, to: string, date: string | null) {
  const bars = await Promise.all(
    rateSymbolsBetween(from, to).map(async (symbol) => {
      const until = date === null ? '' : `?to=${date}`;
      const { body } = await service.get<z.infer<typeof pricesSchema>>(`/symbols/${symbol}/prices${until}`);
      const { date: on, close } = body.bars?.at(-1) ?? {};
      return { symbol, on, close };
    }),
  );
  const closes = Object.fromEntries(bars.flatMap(({ symbol, close }) => (close ? [[symbol, close]] : [])));
  return {
    rate: rateBetween({ from, to }, closes),
    date:
      bars
        .flatMap(({ on }) => on ?? [])
        .sort()
        .at(-1) ?? null,
  };
}

async function lastBar(service: TestService, symbol: string) {
  const { body } = await service.get<z.infer<typeof pricesSchema>>(`/symbols/${symbol}/prices`);
  const bar = body.bars.at(-1);
  const { currency } = (await service.get<SymbolView>(`/symbols/${symbol}`)).body;
  return bar ? { close: bar.close, date: bar.date, currency } : null;
}

const totalsOf = (view: SnapshotView): SnapshotTotals => ({
  snapshotDate: view.snapshot_date,
  totalValue: view.total_value,
  totalCost: view.total_cost,
  totalPnl: view.total_pnl,
  pnlPercent: view.pnl_percent,
  longValue: view.long_value,
  shortValue: view.short_value,
  grossExposure: view.gross_exposure,
  netExposure: view.net_exposure,
  realizedPnl: view.realized_pnl,
  positionCount: view.position_count,
  unpricedCount: view.unpriced_count,
  pendingCount: view.pending_count,
  missingFxCount: view.missing_fx_count,
  coverage: view.coverage,
  isComplete: view.is_complete,
  oldestPriceDate: view.oldest_price_date,
});

describeOnEveryDatabase('a portfolio in another currency than its symbols', (makeDatabase) => {
  test('is told so at once, and is valued once the rate has come, which everybody shares', async () => {
    const service = await startService(await makeDatabase());
    const { body } = await service.upload<Uploaded & { warnings: { code: string; message: string }[] }>(
      csvOf('AAPL', 'MSFT'),
      'base_currency=EUR',
    );
    expect(body.warnings).toEqual([
      expect.objectContaining({
        code: 'WARN_POS_003',
        message: expect.stringContaining('2 lots are in USD'),
      }),
    ]);
    expect(body.pending_symbols).toEqual(['AAPL', 'EURUSD=X', 'MSFT']);
    const view = await service.settled(body.portfolio_id);
    expect(view).toMatchObject({
      status: 'ready',
      progress: { ready: 3 },
      snapshot: { position_count: 2, missing_fx_count: 0, is_complete: true },
    });
    const again = await service.upload<Uploaded>(csvOf('AAPL'), 'base_currency=EUR');
    expect(again.status).toBe(201);
    expect(service.app.provider.requests()).toMatchObject({
      histories: { 'EURUSD=X': 1 },
      lookups: { AAPL: 1 },
    });
    expect(service.app.provider.requests().lookups['EURUSD=X'], 'nobody uploaded it').toBeUndefined();
    expect(await service.job('EURUSD=X')).toMatchObject({
      status: 'completed',
      outcome: 'complete',
      reason: 'upload',
    });
  });

  test('needs only a rate where its symbols are known, and one that goes further back where its entries are older', async () => {
    const service = await startService(await makeDatabase());
    const first = await service.upload<Uploaded>(csvOf('AAPL'));
    await service.settled(first.body.portfolio_id);
    const lot = { symbol: 'AAPL', quantity: '1', price: '10', currency: 'CHF' };
    const swiss = await service.upload<Uploaded>(csvOfLots([lot]));
    expect(swiss).toMatchObject({ status: 202, body: { pending_symbols: ['USDCHF=X'] } });
    await service.settled(swiss.body.portfolio_id);
    const older = await service.upload<Uploaded>(csvOfLots([{ ...lot, date: '2024-03-03' }]));
    expect(older.body.pending_symbols).toEqual(['USDCHF=X']);
    const view = await service.settled(older.body.portfolio_id);
    expect(view).toMatchObject({ status: 'ready', snapshot: { missing_fx_count: 0, position_count: 1 } });
    const { body } = await service.get<{ positions: LotView[] }>(
      `/portfolios/${older.body.portfolio_id}/positions`,
    );
    const friday = await rateOn(service, 'CHF', 'USD', '2024-03-01');
    expect(body.positions).toMatchObject([{ fx_value: '1', fx_cost: friday.rate, disposition: 'priced' }]);
  });
});
