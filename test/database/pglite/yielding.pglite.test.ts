import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';
import { beforeAll, expect, test } from 'vitest';
import { describeOnDatabase, describeOnEveryDatabase } from '../../support/databases.ts';

describeOnDatabase('pglite', 'the instance that everybody shares', (makeDatabase) => {
  let pglite: PGlite;
  beforeAll(async () => {
    pglite = (await makeDatabase()).pglite!;
    await pglite.exec('create table kept (id int primary key)');
  });

  /** How often the event loop turned while `work` ran. */
  async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
    let turns = 0;
    let working = true;
    const counting = (async () => {
      for (; working; turns += 1) await nextTurn();
    })();
    await work();
    working = false;
    await counting;
    return turns;
  }

  test('lets timers fire during 300 queries in a row', async () => {
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 1);
    const turns = await turnsDuring(async () => {
      for (let n = 0; n < 300; n += 1) await pglite.query('select $1::int', [n]);
    });
    clearInterval(ticking);
    expect(turns).toBeGreaterThanOrEqual(300);
    expect(ticks).toBeGreaterThan(10);
  });

  test('lets them fire inside a transaction and during scripts too', async () => {
    const inside = await turnsDuring(() =>
      pglite.transaction(async (tx) => {
        for (let n = 0; n < 50; n += 1) {
          await tx.query('select $1::int', [n]);
          await tx.exec('select 1');
        }
      }),
    );
    expect(inside).toBeGreaterThanOrEqual(100);
    const scripts = await turnsDuring(async () => {
      for (let n = 0; n < 50; n += 1) await pglite.exec('select 1; select 2');
    });
    expect(scripts).toBeGreaterThanOrEqual(50);
  });

  test('rolls a transaction back through the handle that it gives out', async () => {
    await pglite.transaction(async (tx) => {
      await tx.query('insert into kept values (100)');
      await tx.rollback();
      expect(tx.closed).toBe(true);
    });
    expect((await pglite.query('select * from kept where id = 100')).rows).toEqual([]);
  });

  test('hands out the rows of each statement of a block that opens its own transaction', async () => {
    const block = 'BEGIN; insert into kept values (1) returning id; select 2 as two; COMMIT';
    const results = await pglite.exec(block);
    expect(results.flatMap(({ rows }) => rows)).toEqual([{ id: 1 }, { two: 2 }]);
    expect((await pglite.query('select id from kept')).rows).toEqual([{ id: 1 }]);
  });

  test.each(['BEGIN', '\n  begin', 'Begin isolation level serializable'])(
    'undoes a block that fails after %j, and nobody behind it hears of it',
    async (begin) => {
      const block = `${begin}; insert into kept values (2); insert into kept values (2); COMMIT`;
      const failed = pglite.exec(block).catch((error: { code: string }) => error.code);
      const behind = [
        pglite.query('select count(*) from kept where id = 2'),
        pglite.exec('select 1 as one'),
        pglite.transaction((tx) => tx.query('select 2 as two')),
      ];
      expect(await failed).toBe('23505');
      const [counted, scripted, transacted] = await Promise.all(behind);
      expect(counted).toMatchObject({ rows: [{ count: '0' }] });
      expect(scripted).toMatchObject([{ rows: [{ one: 1 }] }]);
      expect(transacted).toMatchObject({ rows: [{ two: 2 }] });
    },
  );

  test('calls a listener in the context that it subscribed in, not in that of the notifier', async () => {
    const context = new AsyncLocalStorage<string>();
    const heard = Promise.withResolvers<[string, string | undefined]>();
    const unlisten = await context.run('subscriber', () =>
      pglite.listen('news', (payload) => heard.resolve([payload, context.getStore()])),
    );
    await context.run('notifier', () =>
      pglite.transaction((tx) => tx.query(`select pg_notify('news', 'rain')`)),
    );
    expect(await heard.promise).toEqual(['rain', 'subscriber']);
    await unlisten();
  });
});

describeOnEveryDatabase('a row', (makeDatabase) => {
  test.each([
    [`date '2026-01-31'`, '2026-01-31'],
    [`timestamp '2026-01-31 12:00:00.25'`, '2026-01-31 12:00:00.25'],
    [`array[date '2026-01-31']`, ['2026-01-31']],
    [`9007199254740993::int8`, '9007199254740993'],
    [`array[9007199254740993::int8]`, ['9007199254740993']],
    [`count(*)`, '1'],
    [`1.50::numeric`, '1.50'],
    [`1.5::float8`, 1.5],
    [`7::int4`, 7],
    [`true`, true],
    [`null::text`, null],
    [`'{"a": [1, null]}'::jsonb`, { a: [1, null] }],
    [`array['a', null]`, ['a', null]],
  ])('has %s as the same value', async (expression, expected) => {
    database ??= makeDatabase();
    expect(await (await database).sql(`select ${expression} as value`)).toEqual([{ value: expected }]);
  });
  let database: ReturnType<typeof makeDatabase> | undefined;

  test('has a moment as text', async () => {
    const sql = `select timestamptz '2026-01-31 12:00:00+00' as moment`;
    const [row] = await (await (database ?? makeDatabase())).sql<{ moment: unknown }>(sql);
    expect(row!.moment).toBeTypeOf('string');
    expect(new Date(row!.moment as string).toISOString()).toBe('2026-01-31T12:00:00.000Z');
  });
});
