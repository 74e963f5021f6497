import { randomUUIDv7 } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { type HeldKey, idempotencyStore } from '../../src/upload/idempotency.store.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';

const asked = 'a'.repeat(64);
const other = 'b'.repeat(64);
const held = (key: string = randomUUIDv7(), owner = 'ann'): HeldKey => ({
  owner,
  key,
  token: randomUUIDv7(),
});
const again = ({ owner, key }: HeldKey): HeldKey => held(key, owner);

describeOnEveryDatabase('idempotency keys', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const store = () => idempotencyStore(database);
  const answer = (mine: HeldKey, text: string) =>
    database.transaction((on) => store().answer(mine, text, { on }));
  const age = (column: 'locked_until' | 'expires_at', { key }: HeldKey) =>
    database.sql(`update idempotency_keys set ${column} = now() - interval '1 second' where key = $1`, [key]);
  const rows = async () => {
    const [row] = await database.sql<{ n: number }>('select count(*)::int as n from idempotency_keys');
    return row!.n;
  };

  test('are held by one of many who ask at once', async () => {
    const one = held();
    const claims = await Promise.all(Array.from({ length: 20 }, () => store().claim(again(one), asked)));
    const kinds = claims.map(({ kind }) => kind).sort();
    expect(kinds).toEqual(['held', ...Array(19).fill('in_flight')].sort());
  });

  test('give back the text that was kept, to the character', async () => {
    const one = held();
    const text = JSON.stringify({ z: 1, a: 'nul \u0000, half a pair \ud83d, "quoted"', portfolio_id: 'x' });
    await store().claim(one, asked);
    expect(await answer(one, text)).toBe(true);
    expect(await store().claim(again(one), asked)).toEqual({ kind: 'answered', answer: text });
    expect(await store().claim(again(one), other)).toEqual({ kind: 'reused' });
  });

  test('of two owners never meet', async () => {
    const one = held();
    await store().claim(one, asked);
    expect(await store().claim(held(one.key, 'bob'), other)).toEqual({ kind: 'held' });
    expect(await store().claim(again(one), other)).toEqual({ kind: 'reused' });
  });

  test('are free again when nothing was saved under them', async () => {
    const one = held();
    await store().claim(one, asked);
    await store().release(again(one)); // not the holder
    expect(await store().claim(again(one), asked)).toMatchObject({ kind: 'in_flight' });
    await store().release(one);
    expect(await store().claim(again(one), other)).toEqual({ kind: 'held' });
  });

  test('stay answered although their holder, who never heard of its commit, lets go', async () => {
    const one = held();
    await store().claim(one, asked);
    await answer(one, '{}');
    await store().release(one);
    expect(await store().claim(again(one), asked)).toEqual({ kind: 'answered', answer: '{}' });
  });

  test('tell for how long they are held yet', async () => {
    const one = held();
    await store().claim(one, asked);
    await database.sql(
      `update idempotency_keys set created_at = now() - interval '50 s', locked_until = now() + interval '70 s'
       where key = $1`,
      [one.key],
    );
    const claim = await store().claim(again(one), asked);
    if (claim.kind !== 'in_flight') throw new Error(`expected it to be held, got: ${claim.kind}`);
    expect(claim.heldSeconds).toBeGreaterThanOrEqual(50);
    expect(claim.leftSeconds).toBeGreaterThan(60);
    expect(claim.leftSeconds).toBeLessThanOrEqual(70);
  });

  test('are all free when whoever held them is known to be gone, but for those that were answered', async () => {
    const [open, kept] = [held(), held()];
    for (const each of [open, kept]) await store().claim(each, asked);
    await answer(kept, '{}');
    await store().releaseAll();
    expect(await store().claim(again(open), other)).toEqual({ kind: 'held' });
    expect(await store().claim(again(kept), asked)).toEqual({ kind: 'answered', answer: '{}' });
  });

  test('are taken over when their lock has lapsed, by another upload too: nothing was saved', async () => {
    const one = held();
    const heir = again(one);
    await store().claim(one, asked);
    await age('locked_until', one);
    expect(await store().claim(heir, other)).toEqual({ kind: 'held' });
    expect(await store().claim(again(one), other)).toMatchObject({ kind: 'in_flight' });
    expect(await store().claim(again(one), asked)).toEqual({ kind: 'reused' });
    expect(await answer(one, '"late"')).toBe(false);
    expect(await answer(heir, '"heir"')).toBe(true);
    expect(await answer(one, '"late"')).toBe(false);
  });

  test('may be answered after their lock has lapsed, if nobody took over', async () => {
    const one = held();
    await store().claim(one, asked);
    await age('locked_until', one);
    expect(await answer(one, '"slow"')).toBe(true);
    expect(await store().claim(again(one), asked)).toEqual({ kind: 'answered', answer: '"slow"' });
  });

  test('are kept for a day, and held for two minutes, from when they were taken', async () => {
    const one = held();
    await store().claim(one, asked);
    const [row] = await database.sql(
      `select extract(epoch from expires_at - created_at)::int as kept,
         extract(epoch from locked_until - created_at)::int as held from idempotency_keys where key = $1`,
      [one.key],
    );
    expect(row).toEqual({ kept: 24 * 60 * 60, held: 120 });
  });

  test('that expired and were taken again have nothing of the first time', async () => {
    const one = held();
    const heir = again(one);
    await store().claim(one, asked);
    await answer(one, '"old"');
    await database.sql(
      `update idempotency_keys set created_at = now() - interval '1 day', expires_at = now() where key = $1`,
      [one.key],
    );
    expect(await store().claim(heir, other)).toEqual({ kind: 'held' });
    const claim = await store().claim(again(one), other);
    expect(claim).toMatchObject({ kind: 'in_flight' });
    expect((claim as { heldSeconds: number }).heldSeconds).toBeLessThan(60);
    expect(await answer(heir, '"new"')).toBe(true);
    expect(await store().claim(again(one), other)).toEqual({ kind: 'answered', answer: '"new"' });
  });

  test('are as new when they have expired, and their rows go with the next claim', async () => {
    const one = held();
    const two = held();
    for (const each of [one, two]) {
      await store().claim(each, asked);
      await answer(each, '{}');
    }
    for (const each of [one, two]) await age('expires_at', each);
    const before = await rows();
    expect(await store().claim(again(one), other)).toEqual({ kind: 'held' });
    expect(await rows()).toBe(before - 1);
  });
});
