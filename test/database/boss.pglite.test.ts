import { type Db, fromKysely, PgBoss } from 'pg-boss';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bossDb } from '../../src/database/boss.pglite.ts';
import { type Database, kyselyTransaction, type Transaction } from '../../src/database/database.orm.ts';
import { describeOnDatabase } from '../support/databases.ts';

const queue = 'errands';

describeOnDatabase('pglite', 'pg-boss next to the ORM', (makeDatabase) => {
  let database: Database;
  let boss: PgBoss;
  let db: Db;
  const failures: unknown[] = [];
  beforeAll(async () => {
    database = await makeDatabase();
    db = bossDb(database.pglite!);
    boss = new PgBoss({ backend: 'pglite', db, schedule: false });
    boss.on('error', (error) => failures.push(error));
    await boss.start();
    await boss.createQueue(queue, { policy: 'exclusive' });
  });
  afterAll(async () => {
    await boss.stop({ graceful: false });
    expect(failures).toEqual([]);
  });

  const through = (on: Transaction) => ({ db: fromKysely(kyselyTransaction(on) as never) });
  const waiting = async (singletonKey: string) => (await boss.findJobs(queue, { key: singletonKey })).length;

  test('adds an errand with the transaction that needs it, or not at all', async () => {
    await database.transaction((on) => boss.send(queue, {}, { singletonKey: 'kept', ...through(on) }));
    const changedMind = new Error('changed my mind');
    const dropped = database.transaction(async (on) => {
      await boss.send(queue, {}, { singletonKey: 'dropped', ...through(on) });
      throw changedMind;
    });
    await expect(dropped).rejects.toBe(changedMind);
    expect([await waiting('kept'), await waiting('dropped')]).toEqual([1, 0]);
  });

  test('rejects at once what would wait for the transaction that asks for it', async () => {
    await database.transaction(async (on) => {
      await database.sql('select 1', [], { on });
      await expect(boss.send(queue, {}, { singletonKey: 'hung' })).rejects.toMatchObject({
        code: 'internal_error',
        message: expect.stringMatching(/^Expected pg-boss to be given the open transaction as db, got: \S/),
      });
    });
    expect(await waiting('hung')).toBe(0);
  });

  test('takes work again behind the transaction, also from a listener that its commit called', async () => {
    const heard = Promise.withResolvers<string | null>();
    const listening = await db.listen!(
      'errand_wanted',
      (payload) => heard.resolve(boss.send(queue, {}, { singletonKey: payload })),
      () => {},
    );
    await database.transaction((on) => database.sql(`select pg_notify('errand_wanted', 'told')`, [], { on }));
    expect(await heard.promise).toBeTypeOf('string');
    await listening.close();
    expect(await waiting('told')).toBe(1);
  });

  test('hands pg-boss Dates, although the ORM is given text', async () => {
    await boss.send(queue, {}, { singletonKey: 'dated' });
    const [job] = await boss.findJobs(queue, { key: 'dated' });
    expect(job!.createdOn).toBeInstanceOf(Date);
    const [row] = await database.sql<{ now: unknown }>('select now() as now');
    expect(row!.now).toBeTypeOf('string');
  });

  test('fails alone when one of its blocks fails', async () => {
    const failing = db.executeSql('BEGIN; select 1; select 1 / 0; COMMIT');
    const behind = [
      database.sql('select 1 as one'),
      database.transaction((on) => database.sql('select 2 as two', [], { on })),
      boss.send(queue, {}, { singletonKey: 'unharmed' }),
    ];
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    const [one, two, id] = await Promise.all(behind);
    expect([one, two]).toEqual([[{ one: 1 }], [{ two: 2 }]]);
    expect(id).toBeTypeOf('string');
  });
});
