import { beforeAll, expect, test } from 'vitest';
import { ticketStore } from '../../../src/api/access/ticket.store.ts';
import type { Database } from '../../../src/database/database.orm.ts';
import { describeOnEveryDatabase } from '../../support/databases.ts';

const ann = { name: 'ann', role: 'user' } as const;

describeOnEveryDatabase('tickets', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const age = () => database.sql(`update tickets set expires_at = now() - interval '1 second'`);
  const stored = async () => JSON.stringify(await database.sql('select * from tickets'));

  test('stand for whoever asked, once, on any node', async () => {
    const [one, other] = [ticketStore(database), ticketStore(database)];
    const { ticket } = await one.issue(ann);
    expect(Buffer.from(ticket, 'base64url')).toHaveLength(32);
    expect(await other.redeem(ticket)).toEqual(ann);
    expect(await one.redeem(ticket)).toBeNull();
  });

  test('are spent by one of many who come at once', async () => {
    const store = ticketStore(database);
    const { ticket } = await store.issue(ann);
    const answers = await Promise.all(Array.from({ length: 20 }, () => store.redeem(ticket)));
    expect(answers.filter((viewer) => viewer !== null)).toEqual([ann]);
  });

  test('last 30 s by the database’s clock', async () => {
    const store = ticketStore(database);
    const [{ now } = { now: '' }] = await database.sql<{ now: string }>('select now() as now');
    const { ticket, expires_at } = await store.issue(ann);
    const seconds = (Date.parse(expires_at) - Date.parse(now)) / 1000;
    expect(seconds).toBeGreaterThanOrEqual(30);
    expect(seconds).toBeLessThan(35);
    await age();
    expect(await store.redeem(ticket)).toBeNull();
  });

  test('are known by their hash only', async () => {
    const { ticket } = await ticketStore(database).issue(ann);
    expect(await stored()).not.toContain(ticket);
  });

  test('that nobody used are cleaned up, a bounded number at a time', async () => {
    const store = ticketStore(database);
    await database.sql('delete from tickets');
    await database.sql(
      `insert into tickets (hash, name, role, expires_at)
       select lpad(n::text, 64, '0'), 'ann', 'user', now() - interval '1 minute' from generate_series(1, 150) n`,
    );
    const left = async () => (await database.sql('select hash from tickets')).length;
    await store.issue(ann);
    expect(await left()).toBe(51);
    await store.issue(ann);
    expect(await left()).toBe(2);
  });

  test('that cannot be one are refused without a statement', async () => {
    const failing = { sql: () => Promise.reject(new Error('asked')) } as unknown as Database;
    const { redeem } = ticketStore(failing);
    for (const guess of ['', 'x', 'x'.repeat(44), `${'x'.repeat(42)}'`]) {
      expect(await redeem(guess)).toBeNull();
    }
    await expect(redeem('x'.repeat(43))).rejects.toThrow('asked');
  });
});
