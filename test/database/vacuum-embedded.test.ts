import { expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { vacuumDue } from '../../src/database/vacuum-embedded.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { describeOnDatabase } from '../support/databases.ts';

const { signal } = new AbortController();

/** PostgreSQL counts at the end of a statement, when a second has passed since it last did. */
async function counted(database: Database, table: string): Promise<void> {
  for (;;) {
    const [row] = await database.sql<{ n: number }>(
      'select n_dead_tup::int as n from pg_stat_user_tables where relname = $1',
      [table],
    );
    if (row!.n >= 1000) return;
  }
}

describeOnDatabase('pglite', 'the embedded database', (makeDatabase) => {
  test('vacuums what has many dead rows, once, and leaves alone what has none', async () => {
    const database = await makeDatabase();
    await database.sql('create table busy as select n from generate_series(1, 1000) n');
    await database.sql('create table calm as select n from generate_series(1, 10) n');
    await database.sql('update busy set n = n + 1');
    await counted(database, 'busy');
    const done = await vacuumDue(database, systemClock, signal);
    expect(done).toContain('public.busy');
    expect(done).not.toContain('public.calm');
    const [row] = await database.sql(
      `select n_dead_tup::int as dead, last_vacuum is not null as vacuumed, last_analyze is not null as analysed
       from pg_stat_user_tables where relname = 'busy'`,
    );
    expect(row).toEqual({ dead: 0, vacuumed: true, analysed: true });
    expect(await vacuumDue(database, systemClock, signal)).not.toContain('public.busy');
  });

  test('freezes what no vacuum has looked at for very many transactions, the catalogue too', {
    timeout: 180_000, // some eighty tables
  }, async () => {
    const database = await makeDatabase();
    const oldest = async () => {
      const [row] = await database.sql<{ transactions: number }>(
        `select max(age(relfrozenxid)) as transactions from pg_class where relkind in ('r', 'm', 't')`,
      );
      return row!.transactions;
    };
    await database.sql('create table calm (n int)');
    for (let n = 0; n < 300; n += 1) await database.sql('select txid_current()');
    expect(await oldest()).toBeGreaterThan(300);
    const hurried = { ...systemClock, sleepUntil: async () => {} };
    const done = await vacuumDue(database, hurried, signal, { freezeAge: 200 });
    expect(done).toEqual(expect.arrayContaining(['public.calm', 'pg_catalog.pg_class']));
    expect(await oldest()).toBeLessThan(200);
    expect(await vacuumDue(database, systemClock, signal)).not.toContain('public.calm');
  });
});
