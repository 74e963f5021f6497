import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import type { Lot } from '../../src/portfolio/lots.ts';
import { portfolioQueries } from '../../src/portfolio/portfolio.query.ts';
import { portfolioListQuery } from '../../src/portfolio/portfolio-list.query.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { enter, enterRates, type Known, lotOf, type RateSeries, save } from './holdings.ts';
import { clear, priced, storeOf } from './snapshots.ts';

describeOnEveryDatabase('snapshots of several currencies', (makeDatabase) => {
  let database: Database;
  let snapshots: ReturnType<typeof storeOf>;
  beforeAll(async () => {
    database = await makeDatabase();
    snapshots = storeOf(database);
  });
  beforeEach(() => clear(database));

  const totalsOf = async (baseCurrency: string, known: Known[], lots: Lot[], series: RateSeries) => {
    await enter(database, known);
    await enterRates(database, series);
    const id = await save(database, baseCurrency, lots);
    await snapshots.recompute([id]);
    return (await snapshots.rows(id)).at(-1);
  };

  test('convert a value on its price date and a cost on its entry date, or the last close before', async () => {
    const known = [
      priced('SAP.DE', '200', '2026-07-30', 'EUR'),
      priced('7203.T', '3000', '2026-07-30', 'JPY'),
    ];
    const series = {
      'EURUSD=X': { '2025-01-01': '1.03', '2026-07-29': '1.25', '2026-07-31': '9' },
      'USDJPY=X': { '2024-12-31': '160', '2026-07-30': '150' },
    };
    const lots = [lotOf({ symbol: 'SAP.DE' }), lotOf({ symbol: '7203.T', currency: 'EUR' })];
    // 10 x 200 x 1.25 and 10 x 3000 / 150; bought for 10 x 100 x 1.03, twice.
    expect(await totalsOf('USD', known, lots, series)).toMatchObject({
      totalValue: '2700.00',
      totalCost: '2060.00',
      missingFxCount: 0,
      isComplete: true,
    });
  });

  test('date cash in another currency by its rate, and convert it by way of the dollar', async () => {
    const series = {
      'EURUSD=X': { '2025-01-01': '1', '2026-07-30': '1.2' },
      'USDJPY=X': { '2025-01-01': '150' },
    };
    const euros = lotOf({ symbol: 'EUR', investmentClass: 'CASH', quantity: '2', entryPrice: '1' });
    expect(await totalsOf('JPY', [], [euros], series)).toMatchObject({
      snapshotDate: '2026-07-30',
      totalValue: '360',
      totalCost: '300',
    });
  });

  test('convert the realised gain of a closed lot at the rates of its two days', async () => {
    const sold = { exitDate: '2026-01-02', exitPrice: '110', currency: 'EUR' };
    const series = { 'EURUSD=X': { '2025-01-01': '1', '2026-01-02': '2' } };
    const row = await totalsOf('USD', [priced('AAPL', '120')], [lotOf(), lotOf(sold)], series);
    expect(row!.realizedPnl).toBe('1200.00');
  });

  test('are due when a series of theirs comes, and only then', async () => {
    const known = [priced('SAP.DE', '200', '2026-07-30', 'EUR'), priced('AAPL', '120')];
    await enter(database, known);
    const euro = await save(database, 'USD', [lotOf({ symbol: 'SAP.DE' }), lotOf()]);
    const dollar = await save(database, 'USD', [lotOf()]);
    expect(await snapshots.recompute([euro, dollar])).toEqual([{ symbol: 'EURUSD=X', since: '2025-01-02' }]);
    expect(await snapshots.rows(euro)).toMatchObject([{ positionCount: 1, missingFxCount: 1 }]);
    await enterRates(database, { 'EURUSD=X': { '2024-12-31': '1.1' } });
    expect(await snapshots.batch('EURUSD=X', 10)).toEqual([euro]);
    expect(await snapshots.rows(euro)).toMatchObject([{ totalValue: '3400.00', missingFxCount: 0 }]);
    expect(await snapshots.batch('EURUSD=X', 10)).toEqual([]);
    expect(await snapshots.recompute([euro])).toEqual([]);
  });

  test('are due no more to a series once their symbol trades in another currency', async () => {
    await enter(database, [priced('SAP.DE', '200', '2026-07-30', 'EUR')]);
    await enterRates(database, { 'EURUSD=X': { '2025-01-01': '1.03', '2026-07-29': '1.25' } });
    const id = await save(database, 'USD', [lotOf({ symbol: 'SAP.DE' })]);
    await snapshots.recompute([id]);
    await database.sql(
      `update symbol_universe set price_version = price_version + 1 where symbol = 'EURUSD=X'`,
    );
    expect(await snapshots.batch('EURUSD=X', 1)).toEqual([id]);
    await database.sql(`update symbol_universe set currency = 'USD' where symbol = 'SAP.DE'`);
    await snapshots.price('SAP.DE', '250', '2026-07-31');
    expect(await snapshots.batch('SAP.DE', 1)).toEqual([id]);
    await database.sql(
      `update symbol_universe set price_version = price_version + 1 where symbol = 'EURUSD=X'`,
    );
    expect(await snapshots.batch('EURUSD=X', 1)).toEqual([]);
  });

  test('are shown no more once no lot has a value: what they were is history', async () => {
    const viewer = { name: 'local', role: 'operator' } as const;
    const reads = portfolioQueries(database, { statuses: async () => [], session: () => '2026-07-31' });
    await enter(database, [priced('VOD.L', '0.72', '2026-07-30')]);
    const id = await save(database, 'USD', [lotOf({ symbol: 'VOD.L' })]);
    await snapshots.recompute([id]);
    expect((await reads.find(id, viewer))?.snapshot).toMatchObject({ total_value: '7.20' });
    await database.sql('update symbol_universe set currency = null'); // another provider, which does not tell it
    await snapshots.price('VOD.L', '72', '2026-07-31');
    await snapshots.batch('VOD.L', 1);
    expect(await reads.find(id, viewer)).toMatchObject({ status: 'error', snapshot: null });
    const { portfolios } = await portfolioListQuery(database).list({ limit: 10 }, viewer);
    expect(portfolios).toMatchObject([{ status: 'error', snapshot: null }]);
    expect((await reads.snapshots(id, { limit: 10 }, viewer))?.snapshots).toHaveLength(1);
  });
});
