import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  ConnectionError,
  createClient,
  FeedError,
  type Frame,
  ProblemError,
} from '../../src/client/index.ts';
import { problem } from '../support/answering.ts';

/** What a test's server does with the n-th connection, which has sent its first frame. */
type Script = (socket: FakeSocket, first: { type: string; after?: number }) => void;

class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly script: Script;
  closed = false;

  constructor(script: Script) {
    this.script = script;
    setImmediate(() => this.onopen?.());
  }
  send(text: string): void {
    this.tell({ type: 'hello', limits: { ping_interval_ms: 30_000 } });
    this.script(this, JSON.parse(text));
  }
  tell(...frames: object[]): void {
    for (const frame of frames) if (!this.closed) this.onmessage?.({ data: JSON.stringify(frame) });
  }
  hangUp(code = 1006): void {
    this.closed = true;
    setImmediate(() => this.onclose?.({ code, reason: '' }));
  }
  close(): void {
    this.closed = true;
  }
}

const live = (position: number) => ({ type: 'live', subscriptions: ['watched'], position });
const transition = (position: number) => ({ type: 'transition', job_id: 'j', sequence: position, position });

/** Reads frames over scripted connections, one script each, and keeps how each of them began. */
function reading(...scripts: Script[]) {
  const begun: object[] = [];
  const losses: string[] = [];
  const sockets: FakeSocket[] = [];
  const WebSocket = function (this: unknown) {
    const script = scripts[sockets.length] ?? (() => {});
    const socket = new FakeSocket((self, first) => {
      begun.push(first);
      script(self, first);
    });
    sockets.push(socket);
    return socket;
  } as unknown as typeof globalThis.WebSocket;
  const stop = new AbortController();
  const client = createClient({ url: 'http://127.0.0.1:1', WebSocket });
  const frames = client.watch(
    { jobs: ['j'] },
    { signal: stop.signal, onLost: ({ reason }) => losses.push(reason) },
  );
  const take = async (count: number) => {
    const taken: Frame[] = [];
    while (taken.length < count) {
      const { value, done } = await frames.next();
      if (done) break;
      if (value.type !== 'hello') taken.push(value);
    }
    return taken;
  };
  return { take, frames, begun, losses, sockets, stop };
}

const positions = (frames: Frame[]) => frames.map((frame) => (frame as { position?: number }).position);

describe('the frames of the feed', () => {
  test('go on after the last that was read, over as many connections as it takes', async () => {
    const { take, begun, losses, frames, sockets } = reading(
      (socket) => {
        socket.tell(live(7), transition(8), { type: 'position', position: 20 });
        socket.hangUp(1001);
      },
      (socket) => socket.hangUp(1006),
      (socket) => socket.tell({ type: 'resumed', after: 20, position: 22 }, transition(21), live(22)),
    );
    expect(positions(await take(6))).toEqual([7, 8, 20, 22, 21, 22]);
    expect(begun).toMatchObject([
      { type: 'subscribe', subscriptions: [{ id: 'watched', jobs: ['j'] }] },
      { type: 'resume', after: 20 },
      { type: 'resume', after: 20 },
    ]);
    expect(losses).toEqual(['closed with code 1001', 'closed with code 1006']);
    await frames.return();
    expect(sockets.at(-1)?.closed).toBe(true);
  });

  test('begin anew where nothing was live yet, and after a resync', async () => {
    const { take, begun, frames } = reading(
      (socket) => {
        socket.tell({ type: 'subscribed', position: 7 });
        socket.hangUp();
      },
      (socket) => {
        socket.tell(live(9));
        socket.hangUp();
      },
      (socket) => {
        socket.tell(
          { type: 'resync', reason: 'expired', position: 50 },
          { type: 'subscribed', position: 50 },
        );
        socket.hangUp();
      },
      (socket) => socket.tell(live(60)),
    );
    await take(5);
    expect(begun.map((first) => (first as { type: string }).type)).toEqual([
      'subscribe',
      'subscribe',
      'resume',
      'subscribe',
    ]);
    await frames.return();
  });

  test('wait for a slow reader on the side of the service: nothing is lost, and little is kept', async () => {
    const { take, begun, losses, frames } = reading(
      (socket) => socket.tell(live(0), ...Array.from({ length: 3000 }, (_, n) => transition(n + 1))),
      (socket, { after = 0 }) => {
        const rest = Array.from({ length: 3000 - after }, (_, n) => transition(after + n + 1));
        socket.tell({ type: 'resumed', after, position: 3000 }, ...rest.slice(0, 900));
      },
      () => {},
    );
    const read = (await take(1500)).filter(({ type }) => type === 'transition');
    expect(positions(read)).toEqual(read.map((_, n) => n + 1));
    expect(begun).toMatchObject([{ type: 'subscribe' }, { type: 'resume', after: 998 }]);
    expect(losses).toEqual([]);
    await frames.return();
  });

  test('begin with the whole first state, however large and however slowly it is read', async () => {
    const actors = Array.from({ length: 2500 }, () => ({ type: 'actor', position: 7 }));
    const { take, begun, frames } = reading((socket) => socket.tell(...actors, live(7)));
    expect((await take(2501)).at(-1)).toEqual(live(7));
    expect(begun).toHaveLength(1);
    await frames.return();
  });

  test('begin anew with the whole state too, where what was missed cannot be replayed', async () => {
    const actors = Array.from({ length: 2500 }, () => ({ type: 'actor', position: 50 }));
    const { take, begun, frames } = reading(
      (socket) => {
        socket.tell(live(7));
        socket.hangUp();
      },
      (socket) => socket.tell({ type: 'resync', reason: 'expired' }, ...actors, live(50)),
    );
    expect((await take(2503)).at(-1)).toEqual(live(50));
    expect(begun).toHaveLength(2);
    await frames.return();
  });

  test.each([
    [429, 'rate_limited', 'asked for again'],
    [503, 'shutting_down', 'asked for again'],
    [401, 'unauthenticated', 'refused'],
    [403, 'operators_only', 'refused'],
  ])('that need a ticket are, where that is answered %i %s, %s', async (status, code, outcome) => {
    const stop = new AbortController();
    const client = createClient({
      url: 'http://127.0.0.1:1',
      token: 't',
      fetch: async () => new Response(problem(status, code), { status }),
    });
    const onLost = () => stop.abort();
    const frames = client.watch({ jobs: ['j'] }, { signal: stop.signal, onLost });
    const ended = frames.next().then(
      () => 'asked for again',
      (error: Error) => (error instanceof ProblemError ? 'refused' : error),
    );
    expect(await ended).toBe(outcome);
    expect(stop.signal.aborted).toBe(outcome === 'asked for again');
  });

  test('end with an error where the subscription is refused, and without one where the reader stops', async () => {
    const refused = reading((socket) =>
      socket.tell({
        type: 'error',
        code: 'portfolio_not_found',
        message: 'There is none.',
        subscription: 'watched',
      }),
    );
    await expect(refused.take(1)).rejects.toBeInstanceOf(FeedError);
    const { frames, stop, sockets } = reading(() => {});
    await frames.next();
    const next = frames.next();
    stop.abort();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(sockets[0]?.closed).toBe(true);
  });

  test('say why there are none, and try again, where the service cannot be reached', async () => {
    const losses: string[] = [];
    const stop = new AbortController();
    const client = createClient({ url: 'http://127.0.0.1:1', token: 't' });
    const frames = client.watch(
      { jobs: ['j'] },
      {
        signal: stop.signal,
        onLost({ reason }) {
          losses.push(reason);
          if (losses.length === 2) stop.abort();
        },
      },
    );
    expect(await frames.next()).toEqual({ value: undefined, done: true });
    expect(losses[0]).toContain('127.0.0.1:1');
    expect(new ConnectionError('timeout', 'm').code).toBe('timeout');
  });

  test('outlive a socket of the package ws that cannot connect', async () => {
    const stop = new AbortController();
    const client = createClient({
      url: 'http://127.0.0.1:1',
      WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    });
    const losses: string[] = [];
    const onLost = ({ reason }: { reason: string }) => {
      losses.push(reason);
      stop.abort();
    };
    const frames = client.watch({ symbols: ['A'] }, { signal: stop.signal, onLost });
    expect(await frames.next()).toEqual({ done: true, value: undefined });
    expect(losses).toEqual(['closed with code 1006']);
  });
});
