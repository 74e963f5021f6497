import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { openDatabase } from '../../src/open-database.ts';
import type { Lot } from '../../src/portfolio/lots.ts';
import { snapshotTotals } from '../../src/portfolio/snapshot.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../support/databases.ts';
import { sessionsBlocked } from '../support/gates.ts';
import {
  anyLot,
  currencies,
  enter,
  enterRates,
  type Known,
  knownSymbols,
  lotOf,
  pricedLot,
  rateSeries,
  save,
} from './holdings.ts';
import { clear, priced, session, storeOf } from './snapshots.ts';

const numRuns = process.env.SOAK ? 2000 : 60;

describeOnEveryDatabase('snapshots', (makeDatabase) => {
  let database: Database;
  let snapshots: ReturnType<typeof storeOf>;
  beforeAll(async () => {
    database = await makeDatabase();
    snapshots = storeOf(database);
  });
  beforeEach(() => clear(database));

  const totalsOf = async (baseCurrency: string, known: Known[], lots: Lot[]) => {
    await enter(database, known);
    const id = await save(database, baseCurrency, lots);
    await snapshots.recompute([id]);
    return (await snapshots.rows(id)).at(-1);
  };

  test('are what the plain statement of the rules says, for any portfolio', async () => {
    const portfolio = fc.record({
      baseCurrency: fc.constantFrom(...currencies),
      known: knownSymbols,
      lots: fc.array(anyLot, { minLength: 1, maxLength: 12 }),
      cause: fc.constantFrom(null, 'AAPL', 'EURUSD=X'),
      series: rateSeries,
      ratesPending: fc.subarray(['EURUSD=X', 'USDJPY=X', 'USDKWD=X']),
    });
    let withRow = 0;
    let converted = 0;
    await fc.assert(
      fc.asyncProperty(portfolio, async ({ baseCurrency, known, lots, cause, series, ratesPending }) => {
        await clear(database);
        await enter(database, known);
        await enterRates(database, series, ratesPending);
        const id = await save(database, baseCurrency, lots);
        await snapshots.recompute([id], { cause });
        const held = lots.map((lot) => pricedLot(lot, { known, baseCurrency, series, ratesPending, cause }));
        const oracle = snapshotTotals({ lots: held, baseCurrency, session });
        if (oracle) withRow += 1;
        if (held.some(({ valueRate }) => valueRate !== null && valueRate !== '1')) converted += 1;
        expect(await snapshots.rows(id)).toEqual(oracle ? [oracle] : []);
      }),
      { numRuns, seed: 20260731 },
    );
    expect(withRow, 'portfolios with a priced lot').toBeGreaterThan(numRuns / 3);
    expect(converted, 'portfolios with a converted lot').toBeGreaterThan(numRuns / 4);
  });

  test('sum shorts below zero, count cash at par, and leave options and private holdings out', async () => {
    const row = await totalsOf(
      'USD',
      [priced('AAPL', '120'), priced('TSLA', '200')],
      [
        lotOf({ quantity: '10' }),
        lotOf({ symbol: 'TSLA', quantity: '-5', entryPrice: '250' }),
        lotOf({ symbol: 'USD', investmentClass: 'CASH', quantity: '1000.505', entryPrice: '1' }),
        lotOf({
          symbol: 'OPT',
          investmentClass: 'OPTIONS',
          underlyingSymbol: 'AAPL',
          quantity: '2',
          entryPrice: '3',
        }),
        lotOf({ symbol: 'HOUSE', investmentClass: 'PRIVATE', quantity: '1', entryPrice: '1000' }),
        lotOf({
          symbol: 'SOLD',
          exitDate: '2026-01-02',
          exitPrice: '90.005',
          entryPrice: '80',
          quantity: '1',
        }),
      ],
    );
    expect(row).toEqual({
      snapshotDate: '2026-07-30',
      totalValue: '1200.51',
      totalCost: '750.51',
      totalPnl: '450.00',
      pnlPercent: '13.8440',
      longValue: '2200.51',
      shortValue: '-1000.00',
      grossExposure: '3200.51',
      netExposure: '1200.51',
      realizedPnl: '10.01',
      positionCount: 3,
      unpricedCount: 2,
      pendingCount: 0,
      missingFxCount: 0,
      coverage: '0.670137',
      isComplete: true,
      oldestPriceDate: '2026-07-30',
    });
  });

  test.each([
    ['USD', '2.675', '-2.675', '2.68', '-2.68'],
    ['JPY', '2.5', '-2.5', '3', '-3'],
    ['KWD', '2.0005', '-2.0005', '2.001', '-2.001'],
    ['USD', '0.004', '-0.004', '0.00', '0.00'],
  ])('are rounded once, half away from zero: %s %s', async (currency, long, short, up, down) => {
    const cash = (quantity: string) => [
      lotOf({ symbol: currency, investmentClass: 'CASH', quantity, entryPrice: '1' }),
    ];
    const rows = [await totalsOf(currency, [], cash(long)), await totalsOf(currency, [], cash(short))];
    expect(rows.map((row) => row!.totalValue)).toEqual([up, down]);
  });

  test('round a percentage once, however close to a tie it comes', async () => {
    // 0.5000004999…9 with 29 digits: whoever rounds the quotient first finds a tie and then 0.500001.
    const [half, rest] = ['500000499999999999999.99999999', '499999500000000000000.00000001'];
    const row = await totalsOf(
      'USD',
      [priced('AAPL', '1')],
      [
        lotOf({ quantity: '1', entryPrice: half }),
        lotOf({ symbol: 'HOUSE', investmentClass: 'PRIVATE', quantity: '1', entryPrice: rest }),
      ],
    );
    expect(row!.coverage).toBe('0.500000');
  });

  test('are null, not zero, without a priced lot', async () => {
    expect(await totalsOf('USD', [], [lotOf()])).toBeUndefined();
    expect(await totalsOf('USD', [], [lotOf({ exitDate: '2026-01-02', exitPrice: '1' })])).toBeUndefined();
  });

  test('never add up different currencies', async () => {
    const known = [priced('AAPL', '120'), priced('SAP.DE', '200', '2026-07-30', 'EUR')];
    const row = await totalsOf('USD', known, [lotOf(), lotOf({ symbol: 'SAP.DE' })]);
    expect(row).toMatchObject({
      totalValue: '1200.00',
      missingFxCount: 1,
      coverage: null,
      isComplete: false,
    });
  });

  test('say nothing of a realised gain that one foreign sale makes unknown', async () => {
    const sold = { exitDate: '2026-01-02', exitPrice: '110' };
    const [open, home, abroad] = [lotOf(), lotOf({ ...sold }), lotOf({ ...sold, currency: 'EUR' })];
    expect((await totalsOf('USD', [priced('AAPL', '120')], [open, home]))!.realizedPnl).toBe('100.00');
    await clear(database);
    expect((await totalsOf('USD', [priced('AAPL', '120')], [open, home, abroad]))!.realizedPnl).toBeNull();
  });

  test('count the symbols that get a job in the same transaction as pending', async () => {
    await enter(database, [priced('AAPL', '120')]);
    const id = await save(database, 'USD', [
      lotOf(),
      lotOf({ symbol: 'NEW' }),
      lotOf({ symbol: 'NEW', quantity: '2' }),
    ]);
    await snapshots.recompute([id], { expected: ['NEW'] });
    expect(await snapshots.rows(id)).toMatchObject([{ pendingCount: 2, unpricedCount: 2 }]);
  });

  test('recomputed twice change nothing but their revision', async () => {
    await enter(database, [priced('AAPL', '120')]);
    const id = await save(database, 'USD', [lotOf(), lotOf({ quantity: '-3' })]);
    await snapshots.recompute([id]);
    const once = await snapshots.rows(id);
    await snapshots.recompute([id]);
    await snapshots.recompute([id]);
    expect(await snapshots.rows(id)).toEqual(once);
    expect(await database.sql('select revision from portfolio_snapshots')).toEqual([{ revision: 3 }]);
  });

  test('get a new row when the price date moves forward, and the old one changes no more', async () => {
    await enter(database, [priced('AAPL', '120', '2026-07-29'), priced('MSFT', '10', '2026-07-29')]);
    const id = await save(database, 'USD', [lotOf(), lotOf({ symbol: 'MSFT' })]);
    await snapshots.recompute([id]);
    const [old] = await snapshots.rows(id);
    await snapshots.price('AAPL', '130', '2026-07-30');
    expect(await snapshots.batch('AAPL', 10)).toEqual([id]);
    await snapshots.price('MSFT', '11', '2026-07-28'); // corrected backwards: today's row is recomputed, no old one made
    expect(await snapshots.batch('MSFT', 10)).toEqual([id]);
    const rows = await snapshots.rows(id);
    expect(rows[0]).toEqual(old);
    expect(rows).toHaveLength(2);
    expect(rows[1]).toMatchObject({
      snapshotDate: '2026-07-30',
      oldestPriceDate: '2026-07-28',
      totalValue: '1410.00',
    });
    const previous = await database.sql<{ previous: { total_value: number } | null; cause: string }>(
      'select previous, cause from portfolio_snapshots order by snapshot_date',
    );
    expect(previous).toMatchObject([{ previous: null }, { cause: 'MSFT', previous: { total_value: 1400 } }]);
  });

  test('are due in batches, by id, until no lot of the symbol is left, which is where a resume begins', async () => {
    await enter(database, [{ symbol: 'AAPL', currency: 'USD', close: null, date: null, isPending: true }]);
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1)
      ids.push(await save(database, 'USD', [lotOf(), lotOf({ symbol: 'MSFT' })]));
    await save(database, 'USD', [lotOf({ symbol: 'MSFT' })]);
    await save(database, 'USD', [lotOf({ exitDate: '2026-01-02', exitPrice: '1' })]);
    expect(await snapshots.batch('AAPL', 2), 'not in the universe yet').toEqual([]);
    await snapshots.price('AAPL', '120', '2026-07-30');
    ids.sort();
    expect(await snapshots.batch('AAPL', 2)).toEqual(ids.slice(0, 2));
    const crashed = database.transaction(async (on) => {
      const { portfolioIds: due } = await snapshots.store.lockDue(['AAPL'], 2, { on });
      await snapshots.store.recompute(due, { causes: ['AAPL'], session, on });
      throw new Error('the process dies here');
    });
    await expect(crashed).rejects.toThrow('dies');
    expect(await snapshots.batch('AAPL', 2)).toEqual(ids.slice(2, 4));
    expect(await snapshots.batch('AAPL', 2)).toEqual(ids.slice(4));
    expect(await snapshots.batch('AAPL', 2)).toEqual([]);
  });

  test('are given their places in the feed, one per portfolio, gapless', async () => {
    await enter(database, [priced('AAPL', '120')]);
    const ids = [await save(database, 'USD', [lotOf()]), await save(database, 'USD', [lotOf()])].sort();
    await database.transaction(async (on) => {
      await snapshots.store.recompute(ids, { causes: ['AAPL'], session, on });
      await snapshots.store.announce(ids, { on });
    });
    expect(
      await database.sql('select portfolio_id, feed_position from portfolio_snapshots order by portfolio_id'),
    ).toEqual(ids.map((id, index) => ({ portfolio_id: id, feed_position: String(index + 1) })));
    expect(await database.sql('select position from feed_head')).toEqual([{ position: '2' }]);
  });
});

describeOnDatabase('postgres', 'snapshots of a portfolio whose symbols finish at once', (makeDatabase) => {
  const others: Database[] = [];
  afterAll(async () => {
    for (const other of others) await other.close();
  });

  test('hold both', async () => {
    const database = await makeDatabase();
    const { databaseUrl } = database;
    others.push(await openDatabase({ databaseUrl, dataDir: null, fsync: false }));
    const [one, other] = [storeOf(database), storeOf(others[0]!)];
    for (let round = 0; round < 10; round += 1) {
      await clear(database);
      await enter(database, [priced('AAPL', '120'), priced('MSFT', '30')]);
      const ids = [];
      for (let n = 0; n < 6; n += 1)
        ids.push(await save(database, 'USD', [lotOf(), lotOf({ symbol: 'MSFT' })]));
      const finish = async (snapshots: typeof one, symbol: string) => {
        while ((await snapshots.batch(symbol, 2)).length > 0);
      };
      await Promise.all([finish(one, 'AAPL'), finish(other, 'MSFT')]);
      for (const id of ids) {
        expect(await one.rows(id)).toMatchObject([
          { totalValue: '1500.00', positionCount: 2, isComplete: true },
        ]);
      }
    }
  });

  test('hold both also when one waits for the other in the middle of its batch', async () => {
    const database = await makeDatabase();
    const snapshots = storeOf(database);
    await enter(database, [priced('AAPL', '120'), { ...priced('MSFT', '30'), close: null, date: null }]);
    const id = await save(database, 'USD', [lotOf(), lotOf({ symbol: 'MSFT' })]);
    const locked = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const first = database.transaction(async (on) => {
      const { portfolioIds: due } = await snapshots.store.lockDue(['AAPL'], 5, { on });
      locked.resolve();
      await gate.promise;
      await snapshots.store.recompute(due, { causes: ['AAPL'], session, on });
    });
    await locked.promise;
    await snapshots.price('MSFT', '30', '2026-07-30');
    const second = snapshots.batch('MSFT', 5);
    await sessionsBlocked(database);
    gate.resolve();
    await Promise.all([first, second]);
    expect(await snapshots.rows(id)).toMatchObject([{ totalValue: '1500.00', positionCount: 2 }]);
  });
});
