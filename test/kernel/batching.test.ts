import { describe, expect, test } from 'vitest';
import { type Attribution, askTogether, doTogether } from '../../src/kernel/batching.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const nobody: Attribution = { current: () => undefined, onBehalfOf: (_, work) => work() };

describe('askTogether', () => {
  test('asks once for all who ask within a turn, and anew after it', async () => {
    const asked: (readonly string[])[] = [];
    const ask = askTogether(async (keys) => {
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

  test('tells a failure to all who asked, and to nobody after them', async () => {
    let fails = true;
    const ask = askTogether(async (keys) => {
      if (fails) throw new Error('no database');
      return new Map(keys.map((key) => [key, 1]));
    });
    const answers = await Promise.allSettled([ask('A'), ask('B')]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await ask('A')).toBe(1);
  });
});

describe('doTogether', () => {
  test('does in one go what comes within a turn', async () => {
    const batches: (readonly number[])[] = [];
    const add = doTogether<number, number>(
      async (items) => {
        batches.push(items);
        return items.map((item) => item * 2);
      },
      { attribution: nobody },
    );
    expect(await Promise.all([add(10), add(20)])).toEqual([20, 40]);
    expect(await add(30)).toBe(60);
    expect(batches).toEqual([[10, 20], [30]]);
  });

  test('does each alone where together failed, so that only who is to blame fails', async () => {
    const batches: (readonly number[])[] = [];
    const add = doTogether<number>(
      async (items) => {
        batches.push(items);
        if (items.includes(2)) throw new Error('2 is refused');
        return [];
      },
      { attribution: nobody },
    );
    const answers = await Promise.allSettled([add(1), add(2), add(3)]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(batches).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  test('has no more under way than it may: what comes meanwhile is the next go', async () => {
    const gates: PromiseWithResolvers<void>[] = [];
    const batches: (readonly number[])[] = [];
    const add = doTogether<number>(
      async (items) => {
        batches.push(items);
        gates.push(Promise.withResolvers());
        await gates.at(-1)!.promise;
        return [];
      },
      { attribution: nobody, lanes: 2 },
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

  test('is on behalf of all who take part', async () => {
    const seen: (readonly unknown[])[] = [];
    let caller = 'a';
    const attribution: Attribution = {
      current: () => caller,
      onBehalfOf(parts, work) {
        seen.push(parts);
        return work();
      },
    };
    const add = doTogether<number>(async () => [], { attribution });
    const first = add(1);
    caller = 'b';
    await Promise.all([first, add(2)]);
    expect(seen).toEqual([['a', 'b']]);
  });
});
