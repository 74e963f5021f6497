import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Emission, type Emitted, monotonicMs } from './emitter.ts';

const subscribeFrame = '{"type":"subscribe","subscriptions":[{"id":"all","everything":true}]}';

export interface Heard {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** The memory that the server took while it sent, beyond what it had before anybody came. */
  grownBytes: number;
  /** Processor time of the server for each delivery to a client that reads, in microseconds. */
  cpuUs: number;
}

/**
 * Clients of a broadcast that cost this process as little as can be: messages have one length, so bytes are counted and
 * nothing is parsed. `stalled` ones shake hands and never read.
 */
export async function subscribers(
  url: string,
  { reading, stalled, subscribes }: { reading: number; stalled: number; subscribes: boolean },
) {
  const { origin, searchParams } = new URL(url);
  const emit = async ({ count, everyMs }: Emission) =>
    (await (await fetch(`${origin}/emit?count=${count}&everyMs=${everyMs}`)).json()) as Emitted;
  const { bytes, rss: rssBefore } = await emit({ count: 0, everyMs: 0 });
  const frameBytes = bytes + 4; // a head of two bytes, and a length of two
  const received = new Float64Array(reading);
  let onBytes = (_client: number, _bytes: number) => {};
  const sockets = await connectAll(reading + stalled, Number(searchParams.get('port')), subscribes);
  for (const socket of sockets.slice(reading)) socket.pause();
  for (const [client, socket] of sockets.slice(0, reading).entries()) {
    socket.on('data', ({ length }) => {
      received[client]! += length;
      onBytes(client, received[client]!);
    });
  }
  return {
    /** Has so many messages sent, and measures until each client that reads has each of them. */
    async hear({ count, everyMs }: Emission): Promise<Heard> {
      const arrivals = new Float64Array(reading * count);
      const before = new Float64Array(reading);
      received.fill(0);
      let left = reading * count;
      const { promise: all, resolve } = Promise.withResolvers<void>();
      onBytes = (client, bytes) => {
        const now = monotonicMs();
        const complete = Math.floor(bytes / frameBytes);
        for (let n = before[client]!; n < complete; n += 1) arrivals[client * count + n] = now;
        left -= complete - before[client]!;
        before[client] = complete;
        if (left === 0) resolve();
      };
      const { sentAt, rss, cpuUs } = await emit({ count, everyMs });
      await all;
      const waits = new Float64Array(reading * count);
      for (let at = 0; at < waits.length; at += 1) waits[at] = arrivals[at]! - sentAt[at % count]!;
      waits.sort();
      const tookMs = arrivals.reduce((last, one) => Math.max(last, one), 0) - sentAt[0]!;
      return {
        perSecond: (reading * count * 1000) / tookMs,
        p50Ms: waits[Math.floor(waits.length * 0.5)]!,
        p99Ms: waits[Math.floor(waits.length * 0.99)]!,
        grownBytes: Math.max(0, rss - rssBefore),
        cpuUs: cpuUs / (reading * count),
      };
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

const atOnce = 50; // handshakes

async function connectAll(count: number, port: number, subscribes: boolean): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const next = Array.from({ length: Math.min(atOnce, count - sockets.length) }, () =>
      shakenHands(port, subscribes),
    );
    sockets.push(...(await Promise.all(next)));
  }
  return sockets;
}

async function shakenHands(port: number, subscribes: boolean): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  if (subscribes) socket.write(masked(subscribeFrame));
  let text = '';
  while (!text.includes(subscribes ? '"type":"live"' : '\r\n\r\n')) {
    const [data] = (await once(socket, 'data')) as [Buffer];
    text += data.toString('latin1');
  }
  return socket;
}

function masked(text: string): Buffer {
  const data = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | data.length, 0, 0, 0, 0]), data]);
}
