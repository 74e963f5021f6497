import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { random, settled } from '../../machines/harness.ts';
import { modelledFeed } from '../modelled-feed.ts';

type Model = Awaited<ReturnType<typeof modelledFeed>>;

async function start(options?: { pageSize: number }): Promise<Model> {
  const model = await modelledFeed(options);
  onTestFinished(model.close);
  return model;
}

const positions = (told: readonly { position: number }[]) => told.map(({ position }) => position);

describe('the feed of a node', () => {
  test.each(['before', 'after'])(
    'tells its own commits without reading them, notified %s they answer',
    async (when) => {
      const model = await start();
      const { told } = model.listen();
      for (const size of [1, 3]) {
        const commit = model.begin(size);
        commit.land();
        if (when === 'before') await model.deliver();
        await commit.answer();
        if (when === 'after') await model.deliver();
      }
      expect(told).toEqual(model.log);
      expect(model.asked()).toBe(0);
    },
  );

  test('sends the requests of unblocked jobs before it delivers the commit', async () => {
    const model = await start();
    const order: string[] = [];
    model.feed.subscribe(() => order.push('told'));
    model.other(1);
    const committed = Promise.resolve([model.log[0]!]);
    model.feed.offer(committed);
    await committed;
    for (let step = 0; step < 20; step += 1) await null;
    order.push('left');
    await settled();
    expect(order).toEqual(['left', 'told']);
  });

  test('delivers nothing after it is closed', async () => {
    const model = await start();
    const { told } = model.listen();
    const commit = model.begin(1);
    await model.close();
    await commit.answer();
    expect(told).toEqual([]);
  });

  test('reads commits of other nodes, and its own commits after them', async () => {
    const model = await start();
    const { told } = model.listen();
    model.other(2);
    await model.begin(1).answer();
    expect(told).toEqual([]);
    await model.reads[0]!.answer();
    expect(told).toEqual(model.log);
    await model.deliver();
    await model.deliver();
    expect(model.asked()).toBe(1);
    model.value(false);
    await model.deliver();
    await model.reads[0]!.answer();
    expect(told).toEqual(model.log);
  });

  test('delivers two own commits in order when their results arrive in reverse order', async () => {
    const model = await start();
    const { told } = model.listen();
    const [first, second] = [model.begin(2), model.begin(3)];
    first.land();
    second.land();
    await second.answer();
    expect(told).toEqual([]);
    await first.answer();
    await model.reads[0]!.answer();
    expect(positions(told)).toEqual([1, 2, 3, 4, 5]);
  });

  test('does not deliver an entry twice when a concurrently read page contains it', async () => {
    const model = await start();
    const { told } = model.listen();
    const commit = model.begin(2);
    await model.clock.advance(1000);
    commit.land();
    model.reads[0]!.look();
    await commit.answer();
    model.other(1);
    await model.deliver(1);
    await model.reads[0]!.answer();
    expect(positions(told)).toEqual([1, 2]);
    await model.reads[0]!.answer();
    expect(positions(told)).toEqual([1, 2, 3]);
  });

  test('delays other commits behind its own running commit, for at most one second', async () => {
    const model = await start();
    const { told } = model.listen();
    model.begin(1);
    model.other(1);
    await model.deliver();
    expect(model.asked()).toBe(0);
    await model.clock.advance(1000);
    await model.reads[0]!.answer();
    expect(positions(told)).toEqual([1]);
  });

  test('does not wait for a commit that started after the notification', async () => {
    const model = await start();
    const first = model.begin(1);
    model.other(1);
    await model.deliver();
    model.begin(1);
    await first.fail();
    expect(model.asked()).toBe(1);
  });

  test('reads commits of other nodes after its own commit as soon as that one returns', async () => {
    const model = await start();
    const { told } = model.listen();
    const commit = model.begin(1);
    commit.land();
    model.other(1);
    await model.deliver();
    await model.deliver();
    await commit.answer();
    expect(positions(told)).toEqual([1]);
    await model.reads[0]!.answer();
    expect(positions(told)).toEqual([1, 2]);
  });

  test('reads page after page until the end', async () => {
    const model = await start({ pageSize: 2 });
    const { told } = model.listen();
    model.other(5);
    await model.deliver();
    for (let page = 0; page < 3; page += 1) await model.reads[0]!.answer();
    expect(told).toEqual(model.log);
    expect(model.reads).toEqual([]);
  });

  test('reads immediately after a lost connection, and reports a possible gap', async () => {
    const model = await start();
    const { told } = model.listen();
    model.other(1);
    await model.reconnect();
    expect(model.gaps()).toBe(1);
    await model.reads[0]!.answer();
    expect(told).toEqual(model.log);
  });

  test('does not delay a waiter for a position behind a commit', async () => {
    const model = await start();
    const { told } = model.listen();
    model.begin(1);
    const reached = model.feed.reached(2, AbortSignal.timeout(5000));
    await model.reads[0]!.answer();
    model.other(2);
    await model.deliver();
    await model.reads[0]!.answer();
    await reached;
    expect(positions(told)).toEqual([1, 2]);
  });

  test('resolves a waiter for a position with its own commit', async () => {
    const model = await start();
    const reached = model.feed.reached(1, AbortSignal.timeout(5000));
    await model.begin(1).answer();
    await reached;
    expect(model.feed.status().position).toBe(1);
  });

  test.each(['', '{', 'null', '{"from":1}', '{"from":1,"to":"1"}'])(
    'reads where a notification says %j',
    async (payload) => {
      const model = await start();
      const { told } = model.listen();
      model.other(1);
      await model.notify(payload);
      await model.reads[0]!.answer();
      expect(positions(told)).toEqual([1]);
    },
  );

  test('reads once when a notification names a position beyond the head', async () => {
    const model = await start();
    model.other(1);
    await model.notify('{"from":1,"to":9007199254740991}');
    await model.reads[0]!.answer();
    expect(model.reads).toEqual([]);
    expect(model.errors).toEqual([]);
  });

  test('reads its own commits when their result is lost or has no positions', async () => {
    const model = await start();
    const { told } = model.listen();
    const lost = model.begin(1);
    lost.land();
    await model.deliver();
    await lost.fail();
    await model.reads[0]!.answer();
    const silent = model.begin(1);
    silent.land();
    await model.deliver();
    await silent.answerNothing();
    await model.reads[0]!.answer();
    expect(positions(told)).toEqual([1, 2]);
  });

  test('delivers every entry to every listener once and in order, in any order of events', async () => {
    const lists = fc.array(fc.tuple(fc.constantFrom(...(Object.keys(steps) as Step[])), fc.nat(11)), {
      maxLength: 60,
      size: 'max',
    });
    await fc.assert(
      fc.asyncProperty(lists, fc.integer({ min: 1, max: 5 }), async (list, pageSize) => {
        const model = await modelledFeed({ pageSize });
        try {
          await run(model, list);
        } finally {
          await model.close();
        }
      }),
      random(300, 20_000),
    );
  });
});

type Step = keyof typeof steps;

const nth = <T>(all: readonly T[], index: number): T | undefined => all[index % all.length];

const steps = {
  begin: (model: Model, n: number) => void model.begin(1 + (n % 3)),
  land: (model: Model, n: number) => nth(model.commits, n)?.land(),
  answer: (model: Model, n: number) => nth(model.commits, n)?.answer(),
  answerNothing: (model: Model, n: number) => nth(model.commits, n)?.answerNothing(),
  lose: (model: Model, n: number) => nth(model.commits, n)?.fail(),
  other: (model: Model, n: number) => void model.other(1 + (n % 3)),
  value: (model: Model, n: number) => model.value(n % 2 === 0),
  deliver: (model: Model, n: number) => model.deliver(n % Math.max(1, model.notifications.length)),
  forget: (model: Model, n: number) => void model.notifications.splice(n, 1),
  garble: (model: Model) => model.notify('?'),
  look: (model: Model) => model.reads[0]?.look(),
  read: (model: Model) => model.reads[0]?.answer(),
  failRead: (model: Model) => model.reads[0]?.fail(),
  poll: (model: Model) => model.clock.advance(1000),
  reconnect: (model: Model) => model.reconnect(),
};

async function run(model: Model, list: readonly (readonly [Step, number])[]): Promise<void> {
  const { feed, log } = model;
  const listeners = [model.listen()];
  const arrivals: Promise<unknown>[] = [];
  for (const [step, n] of list) {
    await steps[step](model, n);
    await settled();
    if (n === 0) listeners.push(model.listen());
    if (n === 1) {
      const wanted = log.length;
      const arrived = feed.reached(wanted, new AbortController().signal);
      arrivals.push(arrived.then(() => expect(feed.status().position).toBeGreaterThanOrEqual(wanted)));
    }
    expect(model.reads.length).toBeLessThanOrEqual(1);
  }
  // Every notification that is left is lost.
  for (const commit of [...model.commits]) await commit.answer();
  do {
    await model.clock.advance(1000);
    while (model.reads.length > 0) await model.reads[0]!.answer();
  } while (feed.status().position < log.length);
  await Promise.all(arrivals);
  for (const { position, told } of listeners) {
    expect(positions(told)).toEqual([...new Set(positions(told))].sort((a, b) => a - b));
    // Where a snapshot has moved on, its former place was told or not.
    const last = told.filter((entry) => log[entry.position - 1] !== null);
    expect(last).toEqual(log.slice(position).filter((entry) => entry !== null));
  }
}
