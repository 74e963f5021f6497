import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { enter, lotOf, save } from './holdings.ts';
import { clear, priced, session, storeOf } from './snapshots.ts';

describeOnEveryDatabase('the date of a snapshot', (makeDatabase) => {
  let database: Database;
  let snapshots: ReturnType<typeof storeOf>;
  beforeAll(async () => {
    database = await makeDatabase();
    snapshots = storeOf(database);
  });
  beforeEach(() => clear(database));

  const cash = lotOf({ symbol: 'USD', investmentClass: 'CASH', quantity: '1000', entryPrice: '1' });
  const datesOf = async (id: string) =>
    (await snapshots.rows(id)).map(({ snapshotDate, oldestPriceDate }) => [snapshotDate, oldestPriceDate]);

  test('never moves back: where the only price is corrected to an earlier day, the latest row stays the latest', async () => {
    await enter(database, [priced('AAPL', '120', '2026-07-30')]);
    const id = await save(database, 'USD', [lotOf()]);
    await snapshots.recompute([id]);
    await snapshots.price('AAPL', '110', '2026-07-29');
    expect(await snapshots.batch('AAPL', 10)).toEqual([id]);
    expect(await datesOf(id)).toEqual([['2026-07-30', '2026-07-29']]);
    expect(await snapshots.rows(id)).toMatchObject([{ totalValue: '1100.00' }]);
    const rows = await database.sql('select revision, previous ->> $1 as before from portfolio_snapshots', [
      'total_value',
    ]);
    expect(rows).toEqual([{ revision: 2, before: '1200.00' }]);
  });

  test('is that of the latest of its prices, beside the oldest', async () => {
    await enter(database, [priced('AAPL', '120', '2026-07-29'), priced('MSFT', '10', '2026-07-27')]);
    const id = await save(database, 'USD', [lotOf(), lotOf({ symbol: 'MSFT' }), cash]);
    await snapshots.recompute([id]);
    expect(await datesOf(id)).toEqual([['2026-07-29', '2026-07-27']]);
  });

  test('is the last session where there is nothing but cash, which has no price', async () => {
    const id = await save(database, 'USD', [cash]);
    await snapshots.recompute([id]);
    expect(await datesOf(id)).toEqual([[session, session]]);
  });

  test('of one portfolio is none of another', async () => {
    await enter(database, [priced('AAPL', '120', '2026-07-30'), priced('MSFT', '10', '2026-07-28')]);
    const ids = [
      await save(database, 'USD', [lotOf()]),
      await save(database, 'USD', [lotOf({ symbol: 'MSFT' })]),
    ];
    for (const id of ids) await snapshots.recompute([id]);
    await snapshots.recompute(ids);
    expect(await Promise.all(ids.map(datesOf))).toEqual([
      [['2026-07-30', '2026-07-30']],
      [['2026-07-28', '2026-07-28']],
    ]);
  });
});
