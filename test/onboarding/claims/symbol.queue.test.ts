import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.orm.ts';
import { describeOnEveryDatabase } from '../../support/databases.ts';
import { emptyTables, queueStates, startNode, type TestNode } from '../fixture.ts';

type Entry = Record<string, unknown>;

describeOnEveryDatabase('parts of the queue in a larger statement', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const start = async (...symbols: string[]) => {
    const node = await startNode(database);
    await emptyTables(database);
    for (const symbol of symbols) await node.admit([symbol]);
    return node;
  };
  const entryOf = async (symbol: string): Promise<Entry> => {
    const [entry] = await database.sql<Entry>('select * from pgboss.job where singleton_key = $1', [symbol]);
    return entry!;
  };
  /** What pg-boss did to one entry and the part to another: all but what tells the two apart. */
  const alike = (entry: Entry) => {
    const { id, data, singleton_key, created_on, start_after, keep_until, ...rest } = entry;
    const moments = ['started_on', 'completed_on', 'heartbeat_on'].map((name) => [name, rest[name] !== null]);
    return { ...rest, ...Object.fromEntries(moments) };
  };
  const byPgBoss = (node: TestNode) =>
    database.transaction(async (on) => (await node.queue.fetch(1, { on }))[0]!);
  const byPart = async ({ queue: { parts } }: TestNode) => {
    const [taken] = await database.sql<{ entry_id: string; retry_count: number }>(
      `with next as (${parts.next('1', 'true')}), taken as (${parts.take('select entry_id from next')})
       select * from taken`,
    );
    return { id: taken!.entry_id, retryCount: taken!.retry_count };
  };
  const held = `select $1::uuid as entry_id, $2::int as retry_count`;
  const completePart = ({ queue: { parts } }: TestNode, entry: { id: string; retryCount: number }) =>
    database.sql(
      `with locked as materialized (${parts.lock(held)}), done as (${parts.complete(held)}) select * from locked`,
      [entry.id, entry.retryCount],
    );

  test('takes as pg-boss takes, the longest waiting first, again after a lease that lapsed', async () => {
    const node = await start('A', 'B');
    const [a, b] = [await byPgBoss(node), await byPart(node)];
    expect([a.id, b.id]).toEqual([(await entryOf('A')).id, (await entryOf('B')).id]);
    expect(alike(await entryOf('B'))).toEqual(alike(await entryOf('A')));
    await database.sql(`update pgboss.job set state = 'retry' where name = 'symbol-onboarding'`);
    expect([(await byPgBoss(node)).retryCount, (await byPart(node)).retryCount]).toEqual([1, 1]);
    expect(alike(await entryOf('B'))).toEqual(alike(await entryOf('A')));
  });

  test('takes out what is settled, as pg-boss does, and nothing else', async () => {
    const node = await start('A', 'B', 'C');
    const [a, b] = [await byPgBoss(node), await byPart(node)];
    await database.transaction((on) => node.queue.complete([a], { on }));
    expect(await queueStates(database)).toEqual({ B: 'active', C: 'created' });
    expect(await completePart(node, b)).toEqual([{ id: b.id }]);
    expect(await queueStates(database)).toEqual({ C: 'created' });
  });

  test('takes only what pg-boss would: neither deferred, nor blocked, nor taken, nor under a false condition', async () => {
    const node = await start('DEFERRED', 'BLOCKED', 'TAKEN');
    await database.sql(
      `update pgboss.job set start_after = now() + interval '1 hour' where singleton_key = 'DEFERRED'`,
    );
    await database.sql(`update pgboss.job set blocked = true where singleton_key = 'BLOCKED'`);
    await byPgBoss(node);
    expect(await database.sql(node.queue.parts.next('9', 'true'))).toEqual([]);
    expect(await database.transaction((on) => node.queue.fetch(9, { on }))).toEqual([]);
    await node.admit(['FREE']);
    expect(await database.sql(node.queue.parts.next('9', 'false'))).toEqual([]);
    expect(await database.sql(node.queue.parts.next('9', 'true'))).toHaveLength(1);
  });

  test('leaves alone what is held under another count, or held no more', async () => {
    const node = await start('A');
    const a = await byPart(node);
    const before = await entryOf('A');
    expect(await completePart(node, { ...a, retryCount: a.retryCount + 1 })).toEqual([]);
    expect(await entryOf('A')).toEqual(before);
    await database.sql(`update pgboss.job set state = 'retry' where singleton_key = 'A'`);
    expect(await completePart(node, a)).toEqual([]);
    expect(await entryOf('A')).toMatchObject({ state: 'retry' });
  });
});
