import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { enter, lotOf, save } from './holdings.ts';
import { clear, priced, session, storeOf } from './snapshots.ts';

describeOnEveryDatabase('batches of snapshots', (makeDatabase) => {
  let database: Database;
  let snapshots: ReturnType<typeof storeOf>;
  beforeAll(async () => {
    database = await makeDatabase();
    snapshots = storeOf(database);
  });
  beforeEach(() => clear(database));

  const holding = (...symbols: string[]) =>
    save(
      database,
      'USD',
      symbols.map((symbol) => lotOf({ symbol })),
    );
  const batch = (symbols: string[], size: number) =>
    database.transaction(async (on) => {
      const due = await snapshots.store.lockDue(symbols, size, { on });
      if (due.portfolioIds.length > 0)
        await snapshots.store.recompute(due.portfolioIds, { causes: symbols, session, on });
      return due.symbols;
    });

  test('are the last only when fewer are due than fit: a full one may have more behind it', async () => {
    await enter(database, [priced('AAPL', '120')]);
    for (let n = 0; n < 4; n += 1) await holding('AAPL');
    const symbol = 'AAPL';
    expect(await batch([symbol], 3)).toEqual([{ symbol, portfolios: 3, isLast: false }]);
    expect(await batch([symbol], 1)).toEqual([{ symbol, portfolios: 1, isLast: false }]);
    expect(await batch([symbol], 1)).toEqual([{ symbol, portfolios: 0, isLast: true }]);
  });

  test('of several symbols name for each portfolio the one that it holds', async () => {
    await enter(database, [priced('AAPL', '120'), priced('MSFT', '10'), priced('IBM', '5')]);
    const ids = [await holding('AAPL'), await holding('MSFT'), await holding('IBM', 'MSFT')];
    await batch(['IBM', 'MSFT', 'AAPL'], 10);
    const rows = await database.sql<{ portfolio_id: string; cause: string }>(
      'select portfolio_id, cause from portfolio_snapshots',
    );
    const causes = new Map(rows.map(({ portfolio_id, cause }) => [portfolio_id, cause]));
    expect(ids.map((id) => causes.get(id))).toEqual(['AAPL', 'MSFT', 'IBM']);
  });
});
