import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.orm.ts';
import { ceilingStore } from '../../../src/onboarding/claims/cluster-ceiling.store.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../../support/databases.ts';
import { emptyTables, startNode } from '../fixture.ts';

const names = (claims: readonly { symbol: string }[]) => claims.map(({ symbol }) => symbol).sort();

const startOn = (database: Database) => async (ceiling: number, symbols: readonly string[]) => {
  const node = await startNode(database);
  await emptyTables(database);
  await database.sql('truncate cluster_permits');
  const store = ceilingStore(database, { ceiling });
  await store.open();
  await node.admit(symbols);
  const taken = await node.jobs.claim(symbols.length);
  const claims = taken.map(({ claim }) => claim);
  const claim = (symbol: string) => claims.find((one) => one.symbol === symbol)!;
  return { node, ...store, ...store.permits, taken, claims, claim };
};

describeOnEveryDatabase('permits of the cluster', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const start = (...given: Parameters<ReturnType<typeof startOn>>) => startOn(database)(...given);

  test('are as many as the ceiling, and one comes free for each that is given back', async () => {
    const { take, free, inUse, claims, claim } = await start(2, ['A', 'B', 'C']);
    expect(await take(claims)).toHaveLength(2);
    expect(await inUse()).toBe(2);
    const [first] = await take(claims);
    await free([first!]);
    await free([first!]);
    expect(await inUse()).toBe(1);
    expect(await take([claim('A'), claim('B'), claim('C')])).toHaveLength(2);
  });

  test('are not taken twice for one claim, and its answer may be asked for again', async () => {
    const { take, inUse, claim } = await start(3, ['A']);
    expect(names(await take([claim('A')]))).toEqual(['A']);
    expect(names(await take([claim('A')]))).toEqual(['A']);
    expect(await inUse()).toBe(1);
  });

  test('come free when their job ends, is given back or is taken over, whatever its node forgot', async () => {
    const { node, take, inUse, taken, claim } = await start(3, ['A', 'B', 'C', 'D']);
    await take(['A', 'B', 'C'].map(claim));
    expect(await take([claim('D')])).toEqual([]);
    const of = (symbol: string) => taken.find((one) => one.claim.symbol === symbol)!;
    await node.walk(of('A'), 'processing.fetch.running', 'failed');
    await node.jobs.release([of('B')]);
    await database.sql('update onboarding_jobs set claim_epoch = claim_epoch + 1 where symbol = $1', ['C']);
    expect(await inUse()).toBe(0);
    expect(names(await take([claim('D')]))).toEqual(['D']);
    // Who lost its claim gets none, not even one that is free.
    expect(await take(['A', 'B', 'C'].map(claim))).toEqual([]);
  });

  test('become free when the lease of a job expires, so that other nodes can run the jobs of a crashed node', async () => {
    const { take, claim } = await start(1, ['A', 'B']);
    await take([claim('A')]);
    await database.sql(`update pgboss.job set state = 'retry' where singleton_key = 'A'`);
    expect(names(await take([claim('B')]))).toEqual(['B']);
  });

  test('follow the ceiling of the next start, up and down', async () => {
    const { take, free, claims } = await start(2, ['A', 'B', 'C', 'D']);
    expect(await take(claims)).toHaveLength(2);
    const wider = ceilingStore(database, { ceiling: 4 });
    await wider.open();
    expect(await wider.permits.take(claims)).toHaveLength(4);
    await free(claims);
    const narrower = ceilingStore(database, { ceiling: 1 });
    await narrower.open();
    expect(await narrower.permits.take(claims)).toHaveLength(1);
    expect(await narrower.inUse()).toBe(1);
  });
});

describeOnDatabase('postgres', 'permits of the cluster, asked for by many at once', (makeDatabase) => {
  test('are never more than the ceiling, and none is left while somebody asks', async () => {
    const database = await makeDatabase();
    const symbols = Array.from({ length: 12 }, (_, n) => `S${n}`);
    const { node, take, free, inUse, taken, claims } = await startOn(database)(5, symbols);
    for (let round = 0; round < (process.env.SOAK ? 200 : 5); round += 1) {
      expect(await node.queue.touch(taken.map(({ entry }) => entry))).toEqual([]); // the leases last 10 s
      const answers = await Promise.all(claims.map((claim) => take([claim])));
      // Who looked while a permit was locked passes it by; it is there for the next look.
      const again = await Promise.all(claims.map((claim) => take([claim])));
      const granted = new Set([...answers, ...again].flat().map(({ symbol }) => symbol));
      expect(granted.size).toBe(5);
      expect(await inUse()).toBe(5);
      await Promise.all(claims.map((claim) => free([claim])));
      expect(await inUse()).toBe(0);
    }
  });
});
