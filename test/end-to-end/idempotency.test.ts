import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../support/databases.ts';
import { gatedDatabase } from '../support/gates.ts';
import { countRows } from '../support/rows.ts';
import { csvOf, startService, type TestService } from '../support/service.ts';

interface Answer {
  status: number;
  headers: Headers;
  /** As it came, to the byte. */
  text: string;
}

const send = async (url: string, key: string, init: RequestInit, query = ''): Promise<Answer> => {
  const headers = new Headers(init.headers);
  headers.set('idempotency-key', key);
  const response = await fetch(`${url}/portfolios${query}`, { method: 'POST', ...init, headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const csv = (url: string, key: string, body: string, query = '?name=once') =>
  send(url, key, { body, headers: { 'content-type': 'text/csv' } }, query);
const form = (url: string, key: string, file: string) => {
  const body = new FormData();
  body.append('file', new Blob([file]), 'once.csv');
  return send(url, key, { body });
};
const code = ({ text }: Answer) => (JSON.parse(text) as { code: string }).code;
const idOf = ({ text }: Answer) => (JSON.parse(text) as { portfolio_id: string }).portfolio_id;

/** The answers to many posts with one key: one portfolio, and everybody was told of it or asked to come again. */
function expectOne(answers: Answer[]): void {
  const made = answers.filter(({ status }) => status === 202);
  const waiting = answers.filter(({ status }) => status !== 202);
  expect(new Set(made.map(({ text }) => text)).size).toBe(1);
  expect(made.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
  expect(new Set(waiting.map((answer) => `${answer.status} ${code(answer)}`))).toEqual(
    new Set(waiting.length > 0 ? ['409 idempotency_in_flight'] : []),
  );
}

describeOnEveryDatabase('an upload with a key', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const portfolios = async () => (await countRows(database)).portfolios;
  // Jobs of the tests before may still be at work, so what those write is left out.
  const saved = async () => {
    const { portfolios, positions, jobs, universe } = await countRows(database);
    return { portfolios, positions, jobs, universe };
  };
  const settle = (service: TestService, answer: Answer) => service.settled(idOf(answer));

  test('is saved once, however many send it at the same time', async () => {
    const { url } = await startService(database);
    const before = await portfolios();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => csv(url, 'many', csvOf('MANY1', 'MANY2'))),
    );
    expectOne(answers);
    expect(await portfolios()).toBe(before! + 1);
  }, 180_000); // one connection, and a hundred who want it

  test('is answered again to the byte, as a file or a form, also when it is ready or deleted by then', async () => {
    const service = await startService(database);
    const { url } = service;
    for (const post of [csv, form]) {
      const body = `${csvOf('RETRY')}\n# ${post.name}`;
      const first = await post(url, post.name, body);
      await settle(service, first);
      const second = await post(url, `"${post.name}"`, body);
      expect([second.status, second.text]).toEqual([first.status, first.text]);
      expect(second.headers.get('location')).toBe(first.headers.get('location'));
      expect(second.headers.get('idempotency-replayed')).toBe('true');
      await service.send('DELETE', `/portfolios/${idOf(first)}`);
      expect((await post(url, post.name, body)).text).toBe(first.text);
    }
  });

  test('that asks for something else is refused, in the rows or in an option', async () => {
    const { url } = await startService(database);
    await csv(url, 'else', csvOf('ELSE'));
    const before = await portfolios();
    for (const answer of [
      await csv(url, 'else', csvOf('OTHER')),
      await csv(url, 'else', csvOf('ELSE'), '?name=other'),
      await csv(url, 'else', csvOf('ELSE'), '?name=once&base_currency=EUR'),
    ]) {
      expect([answer.status, code(answer)]).toEqual([422, 'idempotency_key_reused']);
    }
    expect(await portfolios()).toBe(before);
  });

  test('that was refused may be mended, or tried again, with its key', async () => {
    const service = await startService(database, { faults: 'SHY=lookup-timeout:1' });
    const { url } = service;
    expect(code(await csv(url, 'mended', csvOf('NOPE')))).toBe('invalid_symbols');
    expect(code(await csv(url, 'mended', 'nonsense'))).toBe('invalid_rows');
    const outage = await csv(url, 'mended', csvOf('SHY'));
    expect([outage.status, code(outage)]).toEqual([503, 'symbols_unverifiable']);
    const mended = await csv(url, 'mended', csvOf('SHY'));
    expect([mended.status, mended.headers.get('idempotency-replayed')]).toEqual([202, null]);
    expect((await csv(url, 'mended', csvOf('SHY'))).text).toBe(mended.text);
  });

  test('that was tried dry has used up nothing', async () => {
    const { url } = await startService(database);
    await csv(url, 'dry', csvOf('DRY1'), '?name=once&dry_run=true');
    expect((await csv(url, 'dry', csvOf('DRY2'))).status).toBe(202);
  });

  test('is answered after a crash behind its commit, by the next process', async () => {
    const first = await startService(database);
    const answer = await csv(first.url, 'crash', csvOf('CRASH'));
    await first.app.close();
    const { url } = await startService(database);
    const before = await portfolios();
    expect((await csv(url, 'crash', csvOf('CRASH'))).text).toBe(answer.text);
    expect(await portfolios()).toBe(before);
  });

  test('leaves neither portfolio nor key when its transaction fails, and can be sent again', async () => {
    const failing: Database = {
      ...database,
      sql: async (text, parameters, options) => {
        if (broken && text.includes('set answer =')) throw new Error('the process is gone');
        return database.sql(text, parameters, options);
      },
    };
    let broken = true;
    const { url } = await startService(failing);
    const before = await saved();
    expect((await csv(url, 'fails', csvOf('FAILS'))).status).toBe(500);
    expect(await saved()).toEqual(before);
    broken = false;
    expect((await csv(url, 'fails', csvOf('FAILS'))).status).toBe(202);
  });

  test('rolls everything back when its key was taken over meanwhile', async () => {
    const owner = 'local';
    const service = await startService({
      ...database,
      sql: async (text, parameters, options) => {
        // Just before it would keep its answer, its lock lapses and somebody else takes the key.
        if (text.includes('set answer =') && parameters?.[1] === 'taken') {
          const sql = `update idempotency_keys set token = gen_random_uuid() where owner = $1 and key = 'taken'`;
          await database.sql(sql, [owner], options);
        }
        return database.sql(text, parameters, options);
      },
    });
    const before = await saved();
    const loser = await csv(service.url, 'taken', csvOf('TAKEN'));
    expect([loser.status, code(loser), loser.headers.get('retry-after')]).toEqual([
      ...[409, 'idempotency_in_flight', '2'],
    ]);
    expect(await saved()).toEqual(before);
    expect((await service.get('/symbols/TAKEN/status')).body).toMatchObject({ status: 'unknown' });
  });
});

describeOnDatabase('postgres', 'an upload with a key over two nodes', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('is saved once, whichever node it reaches', async () => {
    const nodes = [await startService(database), await startService(database)];
    const { portfolios: before } = await countRows(database);
    const posts = Array.from({ length: 100 }, (_, at) =>
      csv(nodes[at % 2]!.url, 'nodes', csvOf('NODE1', 'NODE2')),
    );
    expectOne(await Promise.all(posts));
    expect((await countRows(database)).portfolios).toBe(before! + 1);
  });

  test('is told to come again while another node is saving it, without waiting for that', async () => {
    const gated = gatedDatabase(database);
    const [slow, quick] = [await startService(gated), await startService(database)];
    const gate = gated.holdBefore((text) => text.includes('pg_advisory_xact_lock'));
    const first = csv(slow.url, 'slow', csvOf('SLOW'));
    await gate.reached;
    expect(code(await csv(quick.url, 'slow', csvOf('SLOW')))).toBe('idempotency_in_flight');
    gate.open();
    expect((await csv(quick.url, 'slow', csvOf('SLOW'))).status).toBeOneOf([202, 409]);
    expect((await first).status).toBe(202);
    expect((await csv(quick.url, 'slow', csvOf('SLOW'))).text).toBe((await first).text);
  });
});
