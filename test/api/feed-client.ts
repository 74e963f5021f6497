import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import type { ClientFrame, Frame, FrameOf, Selector } from '../../src/contract/schemas.ts';

const sockets: WebSocket[] = [];
const raws: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
  for (const raw of raws.splice(0)) raw.destroy();
});

export type FeedClient = ReturnType<typeof watch>;

/** A client that keeps what it is told, and lets a test wait for frames or the end. */
export function watch(
  url: string,
  { protocols, path = '/ws' }: { protocols?: string[]; path?: string } = {},
) {
  const socket = new WebSocket(url.replace('http', 'ws') + path, protocols);
  sockets.push(socket);
  const frames: Frame[] = [];
  const waiting: (() => void)[] = [];
  socket.addEventListener('message', ({ data }) => {
    frames.push(JSON.parse(String(data)));
    for (const wake of waiting.splice(0)) wake();
  });
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve));
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const client = {
    socket,
    frames,
    closed,
    /** Resolves once so many frames have come. */
    async have(count: number) {
      await until(() => frames.length >= count);
      return frames;
    },
    /** Resolves with the first frame of a type, come or to come. */
    async frame<Type extends Frame['type']>(type: Type): Promise<FrameOf<Type>> {
      await until(() => frames.some((frame) => frame.type === type));
      return frames.find((frame) => frame.type === type) as FrameOf<Type>;
    },
    of: <Type extends Frame['type']>(type: Type) =>
      frames.filter((frame): frame is Extract<Frame, { type: Type }> => frame.type === type),
    send: (frame: ClientFrame) => socket.send(JSON.stringify(frame)),
    /** Subscribes, once greeted, and resolves when that is live. */
    async subscribe(selector: Selector, id = 'one') {
      await client.frame('hello');
      client.send({ type: 'subscribe', subscriptions: [{ id, ...selector }] });
      await until(() => client.of('live').some(({ subscriptions }) => subscriptions.includes(id)));
      return client;
    },
  };
  return client;
}

/** A text message as a client sends it: masked, here with zeros, which change nothing. */
export function maskedText(text: string): Buffer {
  const data = Buffer.from(text);
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x81fe, 0); // a text in one frame; a mask, and a length of 16 bits
  head.writeUInt16BE(data.length, 2);
  return Buffer.concat([head, data]);
}

/** Shakes hands, sends what it is given, and then neither reads, nor answers pings. */
export async function deafClient(port: number, ...messages: ClientFrame[]): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  raws.push(socket);
  socket.on('error', () => {});
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(socket, 'readable');
  for (const message of messages) socket.write(maskedText(JSON.stringify(message)));
  return socket;
}

export const everything: ClientFrame = {
  type: 'subscribe',
  subscriptions: [{ id: 'all', everything: true }],
};
