import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createClient, type Frame } from '../../src/client/index.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const hello = { type: 'hello', limits: { ping_interval_ms: 10_000 } };
const live = { type: 'live', subscriptions: ['watched'], position: 7 };
const position = { type: 'position', position: 8 };

/** Watches over sockets that say nothing by themselves; `losses` has why each ended, and when. */
function watching() {
  const sockets: { say(frame: object): void; closed: boolean; onmessage?: (event: object) => void }[] = [];
  const losses: [reason: string, at: number, retryInMs: number][] = [];
  const stop = new AbortController();
  const begun = Date.now();
  class Silent {
    closed = false;
    onmessage?: (event: object) => void;
    constructor() {
      sockets.push(this);
    }
    send() {}
    say(frame: object) {
      this.onmessage?.({ data: JSON.stringify(frame) });
    }
    close() {
      this.closed = true;
    }
  }
  const client = createClient({
    url: 'http://service',
    WebSocket: Silent as unknown as typeof globalThis.WebSocket,
  });
  const frames: Frame[] = [];
  const onLost = ({ reason, retryInMs }: { reason: string; retryInMs: number }) =>
    losses.push([reason, Date.now() - begun, retryInMs]);
  const reading = (async () => {
    for await (const frame of client.watch({ symbols: ['A'] }, { signal: stop.signal, onLost }))
      frames.push(frame);
  })();
  const end = async () => {
    stop.abort();
    await reading;
  };
  return { sockets, losses, frames, end };
}

const silent = 'no message from the service for too long';

describe('a connection of the feed', () => {
  test('is given up when nothing is said for two and a half times as long as the service promised', async () => {
    const { sockets, losses, frames, end } = watching();
    await vi.advanceTimersByTimeAsync(1000);
    for (const frame of [hello, live]) sockets[0]!.say(frame);
    await vi.advanceTimersByTimeAsync(24_999);
    expect([losses, sockets[0]!.closed]).toEqual([[], false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(losses).toEqual([[silent, 26_000, expect.any(Number)]]);
    expect(sockets[0]!.closed).toBe(true);
    expect(frames.map(({ type }) => type)).toEqual(['hello', 'live']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(sockets).toHaveLength(2);
    await end();
  });

  test('lives as long as something is said, whatever it is', async () => {
    const { sockets, losses, end } = watching();
    await vi.advanceTimersByTimeAsync(0);
    sockets[0]!.say(hello);
    for (let said = 0; said < 20; said += 1) {
      await vi.advanceTimersByTimeAsync(24_000);
      sockets[0]!.say(position);
    }
    expect(losses).toEqual([]);
    await end();
  });

  test('is given up after half a minute where it never even greets', async () => {
    const { losses, end } = watching();
    await vi.advanceTimersByTimeAsync(29_999);
    expect(losses).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(losses).toEqual([[silent, 30_000, expect.any(Number)]]);
    await end();
  });

  test('is not watched any more once its reader has stopped', async () => {
    const { losses, end } = watching();
    await vi.advanceTimersByTimeAsync(0);
    await end();
    expect(vi.getTimerCount()).toBe(0);
    expect(losses).toEqual([]);
  });

  test('is made again after a pause that doubles up to ten seconds, and begins small once one was live', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { sockets, losses, end } = watching();
    for (let round = 0; round < 8; round += 1) await vi.advanceTimersByTimeAsync(40_000);
    const pauses = losses.map(([, , ms]) => ms);
    expect(pauses.slice(0, 7)).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000]);
    for (const frame of [hello, live]) sockets.at(-1)!.say(frame);
    losses.length = 0;
    await vi.advanceTimersByTimeAsync(25_000);
    expect(losses.map(([, , ms]) => ms)).toEqual([250]);
    await end();
  });
});
