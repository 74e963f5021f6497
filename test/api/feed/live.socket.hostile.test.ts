import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WebSocket as Client } from 'ws';
import { frameSchema } from '../../../src/contract/schemas.ts';
import { watch } from '../feed-client.ts';
import { serve } from '../serve.ts';

const numRuns = process.env.SOAK ? 5000 : 60;
const seed = 20261125;

const types = fc.constantFrom('subscribe', 'resume', 'unsubscribe', 'hello', '__proto__', '', 7, null);
const selectors = fc.record(
  {
    id: fc.oneof(fc.string(), fc.constant('one'), fc.anything()),
    symbols: fc.oneof(fc.array(fc.string({ unit: 'binary' })), fc.constant(['AAPL']), fc.anything()),
    portfolios: fc.oneof(fc.array(fc.uuid()), fc.anything()),
    jobs: fc.oneof(fc.array(fc.uuid()), fc.anything()),
    statuses: fc.oneof(fc.subarray(['failed', 'pending', 'lost']), fc.anything()),
    everything: fc.oneof(fc.boolean(), fc.anything()),
  },
  { requiredKeys: [] },
);
const almost = fc
  .record(
    { type: types, subscriptions: fc.oneof(fc.array(selectors), fc.anything()), after: fc.anything() },
    { requiredKeys: ['type'] },
  )
  .map((frame) => JSON.stringify(frame));

type Message = { data: string | Uint8Array; fragments: number };
const message: fc.Arbitrary<Message> = fc.record({
  data: fc.oneof(
    { weight: 4, arbitrary: almost },
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.uint8Array(),
    fc.constantFrom('x'.repeat(70_000), '['.repeat(60_000), '{"type":"subscribe","subscriptions":[]}'),
  ),
  fragments: fc.integer({ min: 1, max: 4 }),
});

function sendInParts(socket: Client, { data, fragments }: Message): void {
  const bytes = Buffer.from(data as Uint8Array);
  const binary = typeof data !== 'string';
  const size = Math.ceil(bytes.length / fragments) || 1;
  for (let part = 0; part < fragments; part += 1) {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(bytes.subarray(part * size, (part + 1) * size), { binary, fin: part === fragments - 1 });
  }
}

/** What a client is answered: frames of the protocol, until one is answered that was well-formed, or the end. */
async function answers(url: string, messages: readonly Message[]): Promise<'followed' | number> {
  const socket = new Client(`${url.replace('http', 'ws')}/ws`);
  socket.on('error', () => {}); // the server may be gone before all is written
  const end = new Promise<'followed' | number>((resolve, reject) => {
    socket.on('close', (code) => resolve(code));
    socket.on('message', (data) => {
      const frame = frameSchema.safeParse(JSON.parse(String(data)));
      if (!frame.success) reject(frame.error);
      else if (frame.data.type === 'error' && frame.data.subscription === 'sentinel') resolve('followed');
    });
  });
  await once(socket, 'open');
  for (const one of messages) sendInParts(socket, one);
  if (socket.readyState === socket.OPEN) {
    socket.send(JSON.stringify({ type: 'unsubscribe', subscriptions: ['sentinel'] }));
  }
  return end.finally(() => socket.close());
}

describe('whatever is sent to /ws', () => {
  test('is answered with frames or a close code, and nobody else notices', { timeout: 600_000 }, async () => {
    const { url, fake } = await serve({ live: { socketsPerClient: 1000 } });
    const bystander = await watch(url).subscribe({ everything: true });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 6 }), async (messages) => {
        const answer = await answers(url, messages);
        expect(['followed', 1007, 1008, 1009]).toContain(answer);
      }),
      { numRuns, seed },
    );
    fake.emit(42);
    expect((await bystander.frame('transition')).position).toBe(42);
  });

  test('be it no WebSocket at all, it is', { timeout: 600_000 }, async () => {
    const { url, port, fake } = await serve({ live: { socketsPerClient: 1000, closeTimeoutMs: 20 } });
    const bystander = await watch(url).subscribe({ everything: true });
    const handshake =
      'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write(handshake);
        await once(socket, 'readable');
        socket.write(bytes);
        socket.end();
        socket.resume();
        await once(socket, 'close');
      }),
      { numRuns, seed },
    );
    fake.emit(42);
    expect((await bystander.frame('transition')).position).toBe(42);
  });
});
