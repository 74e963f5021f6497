import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.orm.ts';
import { describeOnEveryDatabase } from '../../support/databases.ts';

describeOnEveryDatabase('prepared statements', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
    await database.sql('create table kept (id int primary key, made timestamptz)');
  });
  const prepared = { prepared: true };

  test('answer what unprepared ones answer, whatever the types, again and again', async () => {
    const text = `select $1::int as whole, $2::text[] as words, $3::jsonb as document, $4::date as day, $5::numeric as exact,
      $6::bigint as large, $7::boolean as yes, $8::text as nothing, $9::double precision as half, $10::uuid[] as ids,
      row_number() over () as row from generate_series(1, 2)`;
    const ids = ['01a214dc-3e47-75bc-9961-767dc4b40501'];
    const document = { a: [1, null, 'é"\\'] };
    for (const day of ['2026-02-28', null, '2024-02-29']) {
      const values = [7, ['a,b', 'c"d', ''], JSON.stringify(document), day, '1.10', '9007199254740993', true];
      const parameters = [...values, null, 0.1, ids];
      const rows = await database.sql(text, parameters, prepared);
      expect(rows).toEqual(await database.sql(text, parameters));
      expect(rows[1]).toMatchObject({ document, day, exact: '1.10', nothing: null, half: 0.1, ids });
    }
  });

  test('leave a session that works when one fails, alone or in a transaction', async () => {
    const insert = (id: number, options = {}) =>
      database.sql('insert into kept (id) values ($1)', [id], { ...prepared, ...options });
    await insert(1);
    await expect(insert(1)).rejects.toMatchObject({ code: '23505' });
    await expect(database.sql('selec 1', [], prepared)).rejects.toMatchObject({ code: '42601' });
    const taken = database.transaction(async (on) => {
      await insert(2, { on });
      await insert(1, { on });
    });
    await expect(taken).rejects.toMatchObject({ code: '23505' });
    await database.transaction((on) => insert(3, { on }));
    expect(await database.sql('select id from kept order by id', [], prepared)).toEqual([
      { id: 1 },
      { id: 3 },
    ]);
  });

  test('see a column that came after they were prepared', async () => {
    const text = 'select id, made from kept where id = $1';
    expect(await database.sql(text, [3], prepared)).toEqual([{ id: 3, made: null }]);
    await database.sql(`alter table kept add column note text default 'x'`);
    expect(await database.sql(text, [3], prepared)).toEqual([{ id: 3, made: null }]);
  });
});
