import { describe, expect, test } from 'vitest';
import { createOutlet } from '../../../src/api/feed/slow-client.ts';
import type { Frame } from '../../../src/contract/schemas.ts';
import { jobIdOf, modelHub, settle } from '../feed-model.ts';
import { transition } from '../views.ts';

const limits = { bufferBytes: 100, slowMs: 1000 };

/** An outlet to a client that reads when it is told to; each frame has 40 bytes. */
function slowClient() {
  const frames: Frame[] = [];
  const client = { frames, pending: 0, closed: null as number | null, now: 0 };
  const outlet = createOutlet({
    sink: {
      write() {
        client.pending += 40;
      },
      get pending() {
        return client.pending;
      },
      close: (code) => {
        client.closed = code;
      },
    },
    encode: (frame) => {
      frames.push(frame);
      return Buffer.alloc(40);
    },
    limits,
    now: () => client.now,
    onClose: () => {},
  });
  let position = 0;
  const commit = (...names: string[]) => {
    for (const name of names) {
      position += 1;
      outlet.deliver({ type: 'transition', ...transition(position), job_id: jobIdOf(name) });
    }
  };
  const read = () => {
    client.pending = 0;
    outlet.drained();
  };
  const told = () => frames.map((frame) => (frame.type === 'transition' ? frame.position : frame.type));
  return { client, outlet, commit, read, told };
}

describe('a client that does not read', () => {
  test('gets the latest of each job once it does, and is told that some are left out', () => {
    const { client, commit, read, told, outlet } = slowClient();
    commit('A', 'B', 'C', 'A', 'B', 'A'); // three fill what may wait
    expect(told()).toEqual([1, 2, 3]);
    expect(outlet.isBehind).toBe(true);
    read();
    expect(client.frames[3]).toEqual({ type: 'coalesced', after: 3, until: 6, skipped: 1 });
    expect(told().slice(4)).toEqual([5, 6]);
    read();
    commit('A');
    expect(told().at(-1)).toBe(7);
    expect(outlet.isBehind).toBe(false);
  });

  test('gets no more at once than may wait for it', () => {
    const { commit, read, told } = slowClient();
    commit('A', 'B', 'C', 'D', 'E', 'F', 'G', 'H');
    read();
    expect(told()).toEqual([1, 2, 3, 4, 5, 6]);
    commit('D', 'G'); // the G that waits is left out now
    read();
    expect(told().slice(6)).toEqual(['coalesced', 8, 9]);
    read();
    expect(told().at(-1)).toBe(10);
  });

  test('is told and closed when it has been behind for too long', () => {
    const { client, commit, outlet, told } = slowClient();
    commit('A', 'B', 'C', 'A');
    outlet.tick(1000);
    expect(client.closed).toBe(null);
    outlet.tick(1001);
    expect([client.closed, told().at(-1)]).toEqual([4429, 'error']);
    const written = told().length;
    commit('A');
    outlet.drained();
    expect(told()).toHaveLength(written);
  });

  test('is waited for with what it asked for, and closed just so', async () => {
    const { model, join, hub, time } = modelHub({ bufferBytes: 100 });
    for (const symbol of ['A', 'B', 'C']) model.commit(symbol);
    model.read();
    const client = join();
    client.pending = 101;
    client.send({ type: 'subscribe', subscriptions: [{ id: 'one', symbols: ['A', 'B', 'C'] }] });
    await settle();
    expect(client.types()).toEqual(['hello']);
    model.commit('A');
    model.read();
    client.pending = 0;
    client.session.drained();
    await settle();
    const state = ['subscribed', 'actor', 'actor', 'actor', 'live'];
    expect(client.types().slice(1)).toEqual([...state, 'transition']);
    const stuck = join();
    stuck.pending = 101;
    stuck.send({ type: 'subscribe', subscriptions: [{ id: 'one', symbols: ['A'] }] });
    await settle();
    time.now = 15_001;
    hub.tick();
    expect([stuck.closed, hub.size]).toEqual([4429, 1]);
  });

  // Its `live` says that nothing up to there is missing: whoever resumes after it would never hear of the rest.
  test('gets what waits for it before a further subscription begins', async () => {
    const { model, join } = modelHub({ bufferBytes: 100 });
    const client = join();
    client.send({ type: 'subscribe', subscriptions: [{ id: 'one', symbols: ['A'] }] });
    await settle();
    client.pending = 101;
    model.commit('A');
    model.read();
    client.send({ type: 'subscribe', subscriptions: [{ id: 'two', symbols: ['B'] }] });
    await settle();
    client.pending = 50; // some of it has left, and the rest still waits
    client.send({ type: 'subscribe', subscriptions: [{ id: 'three', symbols: ['C'] }] });
    await settle();
    expect(client.types()).toEqual(['hello', 'subscribed', 'live']);
    client.pending = 0;
    client.session.drained();
    await settle();
    const positions = client.frames.flatMap((frame) => ('position' in frame ? [frame.position] : []));
    expect(positions).toEqual([0, 0, 0, 1, 1, 1, 1, 1]);
    expect(client.types().slice(3)).toEqual(['transition', 'subscribed', 'live', 'subscribed', 'live']);
  });

  test('costs no more than its jobs, however much happens', () => {
    const { client, commit } = slowClient();
    for (let round = 0; round < 1000; round += 1) commit('A', 'B', 'C', 'D');
    expect(client.pending).toBeLessThanOrEqual(limits.bufferBytes + 40);
    expect(client.frames.length).toBeLessThan(10);
  });
});
