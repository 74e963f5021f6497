import { describe, expect, test } from 'vitest';
import { type Attribution, batch, batchReads } from '../../src/kernel/batching.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const unattributed: Attribution = { current: () => undefined, onBehalfOf: (_, work) => work() };

describe('batchReads', () => {
  test('reads once for all requests within a turn, and again after it', async () => {
    const asked: (readonly string[])[] = [];
    const ask = batchReads(async (keys) => {
      asked.push(keys);
      return new Map(keys.filter((key) => key !== 'NONE').map((key) => [key, key.toLowerCase()]));
    });
    expect(await Promise.all([ask('B'), ask('A'), ask('B'), ask('NONE')])).toEqual([
      'b',
      'a',
      'b',
      undefined,
    ]);
    expect(await ask('A')).toBe('a');
    expect(asked).toEqual([['A', 'B', 'NONE'], ['A']]);
  });

  test('rejects every request of a failed read, and no later one', async () => {
    let fails = true;
    const ask = batchReads(async (keys) => {
      if (fails) throw new Error('no database');
      return new Map(keys.map((key) => [key, 1]));
    });
    const answers = await Promise.allSettled([ask('A'), ask('B')]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await ask('A')).toBe(1);
  });
});

describe('batch', () => {
  test('processes in one call what is submitted within a turn', async () => {
    const batches: (readonly number[])[] = [];
    const add = batch<number, number>(
      async (items) => {
        batches.push(items);
        return items.map((item) => item * 2);
      },
      { attribution: unattributed },
    );
    expect(await Promise.all([add(10), add(20)])).toEqual([20, 40]);
    expect(await add(30)).toBe(60);
    expect(batches).toEqual([[10, 20], [30]]);
  });

  test('runs each item alone after a failed batch, so that only the item at fault fails', async () => {
    const batches: (readonly number[])[] = [];
    const add = batch<number>(
      async (items) => {
        batches.push(items);
        if (items.includes(2)) throw new Error('2 is refused');
        return [];
      },
      { attribution: unattributed },
    );
    const answers = await Promise.allSettled([add(1), add(2), add(3)]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(batches).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  test('keeps to its concurrency: what arrives meanwhile forms the next batch', async () => {
    const gates: PromiseWithResolvers<void>[] = [];
    const batches: (readonly number[])[] = [];
    const add = batch<number>(
      async (items) => {
        batches.push(items);
        gates.push(Promise.withResolvers());
        await gates.at(-1)!.promise;
        return [];
      },
      { attribution: unattributed, concurrency: 2 },
    );
    const answers: Promise<void>[] = [];
    for (const item of [1, 2, 3, 4]) {
      answers.push(add(item));
      await turn();
      await turn();
    }
    expect(batches).toEqual([[1], [2]]);
    gates[0]!.resolve();
    await answers[0];
    await turn();
    await turn();
    expect(batches).toEqual([[1], [2], [3, 4]]);
    for (const gate of gates) gate.resolve();
    await Promise.all(answers);
  });

  test('runs on behalf of all callers', async () => {
    const seen: (readonly unknown[])[] = [];
    let caller = 'a';
    const attribution: Attribution = {
      current: () => caller,
      onBehalfOf(parts, work) {
        seen.push(parts);
        return work();
      },
    };
    const add = batch<number>(async () => [], { attribution });
    const first = add(1);
    caller = 'b';
    await Promise.all([first, add(2)]);
    expect(seen).toEqual([['a', 'b']]);
  });
});
