import { expect, test } from 'vitest';
import { portfolioStore } from '../../src/portfolio/portfolio.store.ts';
import { snapshotStore } from '../../src/portfolio/snapshot.store.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { gatedDatabase, sessionsBlocked } from '../support/gates.ts';
import { enter, lotOf, save } from './holdings.ts';
import { priced } from './snapshots.ts';

describeOnDatabase('postgres', 'locking the portfolios that are due', (makeDatabase) => {
  test('goes on behind a batch that was deleted while it waited', async () => {
    const inner = await makeDatabase();
    const database = gatedDatabase(inner);
    await enter(inner, [priced('AAPL', '120')]);
    const first = await save(inner, 'USD', [lotOf()]);
    const second = await save(inner, 'USD', [lotOf()]);
    const deleting = database.holdBefore((text) => text.startsWith('delete from portfolios'));
    const deleted = portfolioStore(database).remove(first, { owner: null });
    await deleting.reached;
    const snapshots = snapshotStore(inner, { feedChannel: 'feed' });
    const locked = inner.transaction((on) => snapshots.lockDue(['AAPL'], 1, { on }));
    await sessionsBlocked(inner);
    deleting.open();
    expect(await deleted).toBe(true);
    expect((await locked).portfolioIds).toEqual([second]);
    await portfolioStore(inner).remove(second, { owner: null });
    expect(await inner.transaction((on) => snapshots.lockDue(['AAPL'], 1, { on }))).toEqual({
      portfolioIds: [],
      symbols: [{ symbol: 'AAPL', portfolios: 0, isLast: true }],
    });
  });
});
