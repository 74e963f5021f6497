import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, type Json, serve } from './serve.ts';

const sockets: WebSocket[] = [];
const raws: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
  for (const raw of raws.splice(0)) raw.destroy();
});

/** A client that keeps what it is told, and lets a test wait for the next frame or the end. */
function watch(url: string, protocols?: string[]) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, protocols);
  sockets.push(socket);
  const frames: Json[] = [];
  const waiting: (() => void)[] = [];
  socket.addEventListener('message', ({ data }) => {
    frames.push(JSON.parse(String(data)));
    for (const wake of waiting.splice(0)) wake();
  });
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve));
  const have = async (count: number) => {
    while (frames.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    return frames;
  };
  return { socket, frames, have, closed };
}

/** Shakes hands and then neither reads, nor answers pings. */
async function deafClient(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  raws.push(socket);
  socket.on('error', () => {});
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(socket, 'readable');
  return socket;
}

describe('/ws', () => {
  test('says hello with the position, then each committed transition in order', async () => {
    const { url, fake } = await serve();
    const { have } = watch(url, ['onboarding.v1+json']);
    await have(1);
    fake.emit(42);
    fake.emit(43);
    const [hello, first, second] = await have(3);
    expect(hello).toMatchObject({
      type: 'hello',
      protocol: 'onboarding.v1+json',
      position: 41,
      server_time: '2026-03-02T14:30:00.000Z',
      market_data: { providers: ['simulated'], simulated: true },
      limits: { ping_interval_ms: 30_000, buffer_bytes: 1_048_576, frame_bytes: 65_536 },
    });
    expect(first).toMatchObject({
      type: 'transition',
      position: 42,
      symbol: 'BRK-B',
      to: 'processing.fetch.running',
      event: 'permit.granted',
    });
    expect(second.position).toBe(43);
  });

  test('puts hello first even when a transition is committed before it is sent', async () => {
    const { url, fake } = await serve();
    fake.beforeSubscribed = () => fake.emit(42);
    const frames = await watch(url).have(2);
    expect(frames.map(({ type }) => type)).toEqual(['hello', 'transition']);
  });

  test('serves several clients and forgets those that leave', async () => {
    const { url, fake, server } = await serve();
    const one = watch(url);
    await one.have(1);
    const [first] = server.websocketServer.clients;
    const two = watch(url);
    await two.have(1);
    one.socket.close();
    await once(first!, 'close');
    fake.emit(42);
    await two.have(2);
    expect(fake.listeners.size).toBe(1);
    expect(one.frames).toHaveLength(1);
  });

  test('answers a message with an error frame and goes on', async () => {
    const { url, fake } = await serve();
    const { socket, have } = watch(url);
    await have(1);
    socket.send('{"type":"subscribe"}');
    const [, error] = await have(2);
    expect(error).toMatchObject({ type: 'error', code: 'unsupported_message' });
    fake.emit(42);
    expect(await have(3)).toHaveLength(3);
  });

  test('closes a client that sends a frame larger than it may', async () => {
    const { url } = await serve();
    const { socket, have, closed } = watch(url);
    await have(1);
    socket.send('x'.repeat(70_000));
    expect((await closed).code).toBe(1009);
  });

  test('tells clients to come again when the feed cannot be had', async () => {
    const { url, fake } = await serve();
    fake.failure = new Error('no database');
    const { closed, frames } = watch(url);
    expect((await closed).code).toBe(1013);
    expect(frames).toEqual([]);
  });

  test('drops a client that does not read, long before it costs memory', async () => {
    const { port, fake, server } = await serve({ live: { bufferBytes: 20_000, closeTimeoutMs: 20 } });
    const socket = await deafClient(port);
    const [client] = server.websocketServer.clients;
    const gone = once(client!, 'close');
    let position = 41;
    let highest = 0;
    while (client!.readyState === client!.OPEN) {
      for (let burst = 0; burst < 100; burst += 1) fake.emit(++position);
      highest = Math.max(highest, client!.bufferedAmount);
      await new Promise(setImmediate);
    }
    expect(highest).toBeLessThan(100_000);
    await gone;
    expect(fake.listeners.size).toBe(0);
    socket.destroy();
  });

  test('ends a client that answers no ping', async () => {
    const { port, server } = await serve({ live: { pingIntervalMs: 10 } });
    const socket = await deafClient(port);
    const [client] = server.websocketServer.clients;
    await once(client!, 'close');
    socket.destroy();
  });

  test('keeps a client that does', async () => {
    // Long enough for a pong on a busy machine: who is late here is gone there.
    const { url, fake, server } = await serve({ live: { pingIntervalMs: 300 } });
    const { have } = watch(url);
    await have(1);
    const [client] = server.websocketServer.clients;
    for (let pongs = 0; pongs < 2; pongs += 1) await once(client!, 'pong');
    fake.emit(42);
    expect(await have(2)).toHaveLength(2);
  });

  test('says that it goes away when the server stops, and the stop waits for nobody', async () => {
    const { url, port, close } = await serve({ live: { closeTimeoutMs: 20 } });
    const polite = watch(url);
    await polite.have(1);
    await deafClient(port);
    await close();
    expect((await polite.closed).code).toBe(1001);
  });

  test('refuses a page of another origin', async () => {
    const { port, fake } = await serve();
    const socket = connect(port, '127.0.0.1');
    raws.push(socket);
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\nConnection: Upgrade\r\n' +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 403 /);
    expect(fake.listeners.size).toBe(0);
  });

  test('asked for without an upgrade is 426', async () => {
    const { url } = await serve();
    const { status, headers, body } = await ask(`${url}/ws`);
    expect([status, body.code, headers.get('upgrade')]).toEqual([426, 'upgrade_required', 'websocket']);
  });
});
