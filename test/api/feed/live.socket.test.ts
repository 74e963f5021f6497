import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { deafClient, everything, watch } from '../feed-client.ts';
import { ask, serve } from '../serve.ts';
import { jobId, portfolioId } from '../views.ts';

describe('/ws', () => {
  test('says hello with the position and the limits, and nothing more before it is asked', async () => {
    const { url, fake } = await serve();
    const { have, subscribe } = watch(url, { protocols: ['onboarding.v1+json'] });
    const [hello] = await have(1);
    expect(hello).toEqual({
      type: 'hello',
      protocol: 'onboarding.v1+json',
      position: 41,
      server_time: '2026-03-02T14:30:00.000Z',
      market_data: { providers: ['simulated'], simulated: true },
      limits: {
        ping_interval_ms: 30_000,
        idle_ms: 60_000,
        frame_bytes: 65_536,
        buffer_bytes: 262_144,
        slow_ms: 15_000,
        subscriptions: 32,
        names: 1000,
        requests_per_minute: 600,
        replay: 10_000,
      },
    });
    fake.emit(42);
    await subscribe({ symbols: ['ZZZ'] });
    expect((await have(1)).some(({ type }) => type === 'transition')).toBe(false);
  });

  test('tells the state of what is subscribed to, then each committed transition in order', async () => {
    const { url, fake } = await serve();
    const { have, subscribe } = watch(url);
    await subscribe({ symbols: ['brk.b'] }, 'mine');
    fake.emit(42);
    fake.emit(43);
    const frames = await have(6);
    expect(frames.map(({ type }) => type)).toEqual([
      'hello',
      'subscribed',
      'actor',
      'live',
      'transition',
      'transition',
    ]);
    expect(frames[1]).toMatchObject({ subscription: 'mine', position: 41, truncated: false });
    expect(frames[2]).toMatchObject({ subscription: 'mine', position: 41, job: { symbol: 'BRK-B' } });
    expect(frames[4]).toMatchObject({
      position: 42,
      symbol: 'BRK-B',
      to: 'processing.fetch.running',
      event: 'permit.granted',
    });
    expect(frames[5]).toMatchObject({ position: 43 });
  });

  test('serves several clients and forgets those that leave', async () => {
    const { url, fake, server } = await serve();
    const one = await watch(url).subscribe({ everything: true });
    const [first] = server.websocketServer.clients;
    const two = await watch(url).subscribe({ jobs: [jobId] });
    one.socket.close();
    await once(first!, 'close');
    fake.emit(42);
    await two.frame('transition');
    expect(one.of('transition')).toHaveLength(0);
  });

  test('answers what it does not understand with an error frame and goes on', async () => {
    const { url, fake } = await serve();
    const client = await watch(url).subscribe({ portfolios: [portfolioId] });
    client.socket.send('{"type":"subscribe"}');
    expect(await client.frame('error')).toMatchObject({
      code: 'invalid_frame',
      message: 'Missing field `subscriptions`. It is required.',
    });
    fake.emit(42);
    await client.frame('transition');
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
    const { frame, closed, send, have } = watch(url);
    await have(1);
    fake.failure = new Error('no database');
    send(everything);
    expect((await frame('error')).code).toBe('feed_unavailable');
    expect((await closed).code).toBe(1013);
  });

  test('tells a client that does not read, and drops it, long before it costs memory', async () => {
    const limits = { bufferBytes: 20_000, slowMs: 200, closeTimeoutMs: 20 };
    let now = 0;
    const { port, fake, server } = await serve({
      live: { ...limits, pingIntervalMs: 50 },
      clock: { now: () => now, sleepUntil: async () => {} },
    });
    const socket = await deafClient(port, everything);
    const [client] = server.websocketServer.clients;
    const wire = (client as unknown as { _socket: { writableLength: number } })._socket;
    const gone = once(client!, 'close');
    let position = 41;
    let highest = 0;
    while (client!.readyState === client!.OPEN) {
      for (let burst = 0; burst < 100; burst += 1) fake.emit(++position);
      highest = Math.max(highest, wire.writableLength);
      now += 1;
      await new Promise(setImmediate);
    }
    expect(highest).toBeLessThan(100_000);
    await gone;
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
    const { frame } = await watch(url).subscribe({ everything: true });
    const [client] = server.websocketServer.clients;
    for (let pongs = 0; pongs < 2; pongs += 1) await once(client!, 'pong');
    fake.emit(42);
    await frame('transition');
  });

  test('closes a client that subscribes to nothing', async () => {
    let now = 0;
    const clock = { now: () => now, sleepUntil: async () => {} };
    const { url } = await serve({ live: { pingIntervalMs: 20, idleMs: 1000 }, clock });
    const busy = await watch(url).subscribe({ everything: true });
    const idle = watch(url);
    await idle.have(1);
    now = 1001;
    expect((await idle.closed).code).toBe(4408);
    expect(busy.socket.readyState).toBe(WebSocket.OPEN);
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
    const { port, server } = await serve();
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\nConnection: Upgrade\r\n' +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(answer.toString()).toMatch(/^HTTP\/1.1 403 /);
    expect(server.websocketServer.clients.size).toBe(0);
  });

  test('asked for without an upgrade is 426', async () => {
    const { url } = await serve();
    const { status, headers, body } = await ask(`${url}/ws`);
    expect([status, body.code, headers.get('upgrade')]).toEqual([426, 'upgrade_required', 'websocket']);
  });
});
