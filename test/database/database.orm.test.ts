import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Database, entityManager } from '../../src/database/database.orm.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { migrations } from '../../src/migrations/index.ts';
import { openDatabase } from '../../src/open-database.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../support/databases.ts';
import { numRuns } from '../support/series.ts';

describeOnEveryDatabase('the database', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
    await database.sql('create table kept (n int primary key, amount numeric, at timestamptz, day date)');
  });
  const rows = () => database.sql('select n from kept order by n');
  const empty = () => database.sql('delete from kept');

  test('says nothing new when it is migrated again, and is what the entities say', async () => {
    await database.sql('drop table if exists kept');
    await database.migrate();
    const difference = await database.orm.schema.getUpdateSchemaSQL({ wrap: false });
    await database.sql('create table kept (n int primary key, amount numeric, at timestamptz, day date)');
    expect(difference.trim()).toBe('');
    expect(await database.sql('select position, floor from feed_head')).toEqual([
      { position: '0', floor: '0' },
    ]);
  });

  test('adds decimals as decimals and hands every digit back', async () => {
    const sql = `select '0.1'::numeric + '0.2'::numeric as sum, $1::numeric as long, 9007199254740993::int8 as whole`;
    const long = '123456789012345678901234567890.123456789012345678901234567891';
    expect(await database.sql(sql, [long])).toEqual([{ sum: '0.3', long, whole: '9007199254740993' }]);
  });

  test('keeps any decimal that a lot can have, in a column as in a parameter', async () => {
    const decimal = fc
      .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat({ max: 12 }))
      .map(([digits, scale]) => shifted(digits, scale));
    await fc.assert(
      fc.asyncProperty(fc.array(decimal, { minLength: 20, maxLength: 40 }), async (amounts) => {
        await empty();
        await database.sql(
          'insert into kept (n, amount) select r.n, r.amount from jsonb_to_recordset($1::jsonb) as r(n int, amount numeric)',
          [JSON.stringify(amounts.map((amount, n) => ({ n, amount })))],
        );
        const back = await database.sql<{ amount: string }>('select amount from kept order by n');
        expect(back.map(({ amount }) => amount)).toEqual(amounts);
      }),
      { numRuns: Math.ceil(numRuns / 10), seed: 1 },
    );
  });

  test('hands dates over as text, without a time zone to shift them', async () => {
    const [row] = await database.sql<{ day: unknown; at: string }>(
      `select '2026-03-29'::date as day, '2026-03-29T01:30:00Z'::timestamptz as at`,
    );
    expect(row!.day).toBe('2026-03-29');
    expect(new Date(row!.at).toISOString()).toBe('2026-03-29T01:30:00.000Z');
  });

  test('goes on with what it had prepared when a newer version changes the type of a column', async () => {
    await database.sql('create table changing (n int)');
    await database.sql('insert into changing values (1)');
    const read = (options = {}) => database.sql('select n from changing', [], { ...options, prepared: true });
    expect(await read()).toEqual([{ n: 1 }]);
    await database.sql('alter table changing alter column n type bigint');
    expect(await read()).toEqual([{ n: '1' }]);
    await database.sql('alter table changing alter column n type text');
    expect(await database.transaction((on) => read({ on }))).toEqual([{ n: '1' }]);
    await database.sql('drop table changing');
  });

  test('undoes everything and still answers when work rolls back on purpose', async () => {
    await empty();
    const answer = await database.transaction<string>(async (on, rollback) => {
      await database.sql('insert into kept (n) values (1)', [], { on });
      return rollback('the queue is full');
    });
    expect(answer).toBe('the queue is full');
    expect(await rows()).toEqual([]);
  });

  test('undoes everything when work throws, and passes what is not its own through', async () => {
    await empty();
    const mistake = new TypeError('ours');
    const work = database.transaction(async (on) => {
      await database.sql('insert into kept (n) values (1)', [], { on });
      throw mistake;
    });
    await expect(work).rejects.toBe(mistake);
    expect(await rows()).toEqual([]);
  });

  test('writes through the entity manager and beside it in one transaction', async () => {
    await empty();
    await database.transaction(async (on) => {
      await entityManager(on).execute('insert into kept (n) values (1)');
      await database.sql('insert into kept (n) values ($1)', [2], { on });
    });
    expect(await rows()).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('refuses at once what would wait for the transaction that asks for it', async () => {
    await empty();
    const refused = { code: 'internal_error', retryable: false };
    await database.transaction(async (on) => {
      await database.sql('insert into kept (n) values (1)', [], { on });
      await expect(database.sql('select 1 as lonely')).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining('select 1 as lonely'),
      });
      await expect(database.transaction(async () => 'inner')).rejects.toMatchObject(refused);
    });
    expect(await rows(), 'the refusals did not harm the transaction').toEqual([{ n: 1 }]);
  });

  test('does not take work that was started in a transaction, and goes on after it, for a part of it', async () => {
    const gate = Promise.withResolvers<void>();
    const later = await database.transaction(async (on) => {
      await database.sql('select 1', [], { on });
      return { work: gate.promise.then(() => database.sql('select 2 as two')) };
    });
    gate.resolve();
    expect(await later.work).toEqual([{ two: 2 }]);
  });

  test('tries a conflict twice more, then calls it retryable', async () => {
    await empty();
    const conflict = (times: number) => {
      let tries = 0;
      return database.transaction(async (on) => {
        tries += 1;
        await database.sql('insert into kept (n) values (1)', [], { on });
        if (tries <= times) await database.sql(`do $$ begin raise sqlstate '40001'; end $$`, [], { on });
        return tries;
      });
    };
    expect(await conflict(2)).toBe(3);
    expect(await rows()).toEqual([{ n: 1 }]);
    await empty();
    await expect(conflict(3)).rejects.toMatchObject({ code: 'database_conflict', retryable: true });
    expect(await rows()).toEqual([]);
  });

  test('does not try again what is wrong, and leaves it as the database said it', async () => {
    let tries = 0;
    const wrong = database.transaction(async (on) => {
      tries += 1;
      await database.sql('insert into kept (n, amount) values (null, 1)', [], { on });
    });
    await expect(wrong).rejects.toMatchObject({ code: '23502' });
    await expect(wrong).rejects.not.toBeInstanceOf(AppError);
    expect(tries).toBe(1);
  });
});

describeOnDatabase('postgres', 'the database', (makeDatabase) => {
  const another = ({ databaseUrl }: Database) => openDatabase({ databaseUrl, dataDir: null, fsync: false });
  const outage = {
    code: 'database_unavailable',
    retryable: true,
    retryAt: expect.any(Number),
    message: 'The database does not answer.',
  };

  test('is migrated once by nodes that start together on an empty one', async () => {
    const admin = await makeDatabase();
    const name = `fresh_${process.pid}`;
    await admin.sql(`create database ${name}`);
    const url = new URL(admin.databaseUrl!);
    url.pathname = `/${name}`;
    const nodes = await Promise.all(
      Array.from({ length: 4 }, () => openDatabase({ databaseUrl: url.href, dataDir: null, fsync: false })),
    );
    try {
      await Promise.all(nodes.map((node) => node.migrate()));
      const [done] = await nodes[0]!.sql('select count(*)::int as n from mikro_orm_migrations');
      expect(done).toEqual({ n: migrations.length });
      expect(await nodes[1]!.sql('select id from feed_head')).toEqual([{ id: 1 }]);
      expect((await nodes[2]!.orm.schema.getUpdateSchemaSQL({ wrap: false })).trim()).toBe('');
    } finally {
      for (const node of nodes) await node.close();
      await admin.sql(`drop database ${name}`);
    }
  });

  test('calls a connection that is cut off an outage, and is there again afterwards', async () => {
    const database = await makeDatabase();
    const admin = await another(database);
    const cutOff = (between: boolean) =>
      database.transaction(async (on) => {
        const [session] = await database.sql<{ pid: number }>('select pg_backend_pid() as pid', [], { on });
        const end = 'select pg_terminate_backend($1, 5000)';
        if (between) await admin.sql(end, [session!.pid]);
        return database.sql(between ? 'select 1' : end.replace('$1', String(session!.pid)), [], { on });
      });
    try {
      // More often than the pool has connections: each must come back to it, or the last ones would wait for ever.
      for (let n = 0; n < 24; n += 1) await expect(cutOff(n % 2 === 0)).rejects.toMatchObject(outage);
      expect(await database.sql('select 1 as here')).toEqual([{ here: 1 }]);
    } finally {
      await admin.close();
    }
  });

  test('outlives the loss of its idle connections', async () => {
    const database = await makeDatabase();
    const admin = await another(database);
    try {
      const [idle] = await database.sql<{ pid: number }>('select pg_backend_pid() as pid');
      await admin.sql('select pg_terminate_backend($1, 5000)', [idle!.pid]);
      const answer = () => database.sql<{ here: number }>('select 1 as here').catch((error) => error);
      let last = await answer();
      // The pool learns of the loss in its own time; until then it is an outage, and no more than that.
      for (let n = 0; last instanceof Error && n < 10; n += 1) {
        expect(last).toMatchObject(outage);
        last = await answer();
      }
      expect(last).toEqual([{ here: 1 }]);
    } finally {
      await admin.close();
    }
  });

  test('calls a server that is not there an outage', async () => {
    const database = await makeDatabase();
    const url = new URL(database.databaseUrl!);
    url.port = '1';
    const nowhere = await openDatabase({ databaseUrl: url.href, dataDir: null, fsync: false });
    try {
      await expect(nowhere.sql('select 1')).rejects.toMatchObject(outage);
      await expect(nowhere.transaction(async () => 1)).rejects.toMatchObject(outage);
    } finally {
      await nowhere.close();
    }
  });

  test('ends a wait for a lock after five seconds, and every session says so', async () => {
    const database = await makeDatabase();
    const [settings] = await database.sql(
      `select current_setting('lock_timeout') as lock,
         current_setting('idle_in_transaction_session_timeout') as idle`,
    );
    expect(settings).toEqual({ lock: '5s', idle: '5s' });
  });

  test('sorts out a deadlock by itself: both transactions commit', async () => {
    const database = await makeDatabase();
    await database.sql('create table kept (n int primary key, times int)');
    await database.sql('insert into kept values (1, 0), (2, 0)');
    const firstLocks = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const both = [1, 2].map((first, index) =>
      database.transaction(async (on) => {
        const add = (n: number) =>
          database.sql('update kept set times = times + 1 where n = $1', [n], { on });
        await add(first);
        firstLocks[index]!.resolve();
        await Promise.all(firstLocks.map(({ promise }) => promise));
        await add(3 - first);
      }),
    );
    await Promise.all(both);
    expect(await database.sql('select n, times from kept order by n')).toEqual([
      { n: 1, times: 2 },
      { n: 2, times: 2 },
    ]);
  });
});

describe('shifted', () => {
  test('is the decimal that its digits and scale say', () => {
    expect([shifted(123n, 2), shifted(-5n, 3), shifted(0n, 1), shifted(7n, 0)]).toEqual([
      '1.23',
      '-0.005',
      '0.0',
      '7',
    ]);
  });
});

function shifted(digits: bigint, scale: number): string {
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  const whole = text.slice(0, text.length - scale);
  const sign = digits < 0n ? '-' : '';
  return scale === 0 ? sign + whole : `${sign}${whole}.${text.slice(text.length - scale)}`;
}
