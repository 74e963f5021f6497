import { describe, expect, test } from 'vitest';
import { createWaiters } from '../../../src/api/http/long-polling.ts';
import { TestClock } from '../../support/clock.ts';

/** A view that tells which symbols are unfinished, and a feed that tells of their ends. */
function setUp({ max = 10 } = {}) {
  const clock = new TestClock();
  const listeners = new Set<(symbol: string) => void>();
  const world = {
    clock,
    listeners,
    unfinished: ['AAPL'],
    reads: 0,
    /** What happens while a read is under way. */
    duringRead: async () => {},
    waiters: createWaiters({
      clock,
      max,
      onEnd(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    }),
    end(...symbols: string[]) {
      world.unfinished = world.unfinished.filter((symbol) => !symbols.includes(symbol));
      for (const symbol of symbols) for (const listener of listeners) listener(symbol);
    },
    hold: (seconds = 30, disconnected = new AbortController().signal) =>
      world.waiters.hold({
        seconds,
        disconnected,
        async read() {
          world.reads += 1;
          const view = world.unfinished;
          await world.duringRead();
          return view;
        },
        pendingSymbols: (view) => (view.length > 0 ? view : null),
      }),
    /** Nothing is left behind: no listener, no timer, no waiter. */
    left: () => [listeners.size, clock.pending.length, world.waiters.size],
  };
  return world;
}

describe('waiters', () => {
  test('answer at once what is settled', async () => {
    const world = setUp();
    world.unfinished = [];
    expect(await world.hold()).toEqual({ view: [], held: true });
    expect([world.reads, ...world.left()]).toEqual([1, 0, 0, 0]);
  });

  test('are woken by the end, not by time', async () => {
    const world = setUp();
    const held = world.hold();
    await world.clock.sleeping();
    world.end('MSFT');
    world.end('AAPL');
    expect(await held).toEqual({ view: [], held: true });
    expect([world.reads, ...world.left()]).toEqual([2, 0, 0, 0]);
  });

  test('miss no end that comes while they read', async () => {
    const world = setUp();
    world.duringRead = async () => {
      world.duringRead = async () => {};
      world.end('AAPL');
    };
    expect(await world.hold()).toEqual({ view: [], held: true });
    expect(world.reads).toBe(2);
  });

  test('read again only when all that they wait for has ended', async () => {
    const world = setUp();
    world.unfinished = ['AAPL', 'MSFT', 'IBM'];
    const held = world.hold();
    await world.clock.sleeping();
    for (const symbol of ['MSFT', 'TSLA', 'AAPL']) {
      world.end(symbol);
      await Promise.resolve();
    }
    expect(world.reads).toBe(1);
    world.end('IBM');
    expect((await held).view).toEqual([]);
    expect(world.reads).toBe(2);
  });

  test('answer what is true when time is up', async () => {
    const world = setUp();
    world.unfinished = ['AAPL', 'MSFT'];
    const held = world.hold(30);
    await world.clock.sleeping();
    world.end('MSFT');
    await world.clock.advance(29_999);
    expect(world.waiters.size).toBe(1);
    await world.clock.advance(1);
    expect(await held).toEqual({ view: ['AAPL'], held: true });
    expect(world.left()).toEqual([0, 0, 0]);
  });

  test('are free at once when nobody listens any more', async () => {
    const world = setUp();
    const client = new AbortController();
    const held = world.hold(30, client.signal);
    await world.clock.sleeping();
    client.abort();
    await held;
    expect([world.reads, ...world.left()]).toEqual([1, 0, 0, 0]);
  });

  test('all answer when the server stops, and nobody is held after it', async () => {
    const world = setUp();
    const held = [world.hold(), world.hold()];
    await world.clock.sleeping(2);
    world.waiters.end();
    expect(await Promise.all(held)).toEqual(Array(2).fill({ view: ['AAPL'], held: true }));
    expect(await world.hold()).toEqual({ view: ['AAPL'], held: false });
    expect([world.reads, ...world.left()]).toEqual([3, 0, 0, 0]);
  });

  test('beyond the limit nobody is held, until there is room', async () => {
    const world = setUp({ max: 1 });
    const held = world.hold();
    await world.clock.sleeping();
    expect(await world.hold()).toEqual({ view: ['AAPL'], held: false });
    world.end('AAPL');
    expect((await held).held).toBe(true);
    expect((await world.hold()).held).toBe(true);
  });

  test('whose read fails leave nothing behind', async () => {
    const world = setUp();
    world.duringRead = () => Promise.reject(new Error('no database'));
    await expect(world.hold()).rejects.toThrow('no database');
    expect(world.left()).toEqual([0, 0, 0]);
  });
});
