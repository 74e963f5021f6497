import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { credentials } from '../../support/tokens.ts';
import { ask, serve, tokens } from '../serve.ts';

const open: (WebSocket | Socket)[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one instanceof WebSocket ? one.close() : one.destroy();
});

function inspect(url: string, query = '') {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/inspect${query}`);
  open.push(socket);
  const messages: string[] = [];
  socket.addEventListener('message', ({ data }) => messages.push(String(data)));
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve));
  const opened = new Promise<void>((resolve) => socket.addEventListener('open', () => resolve()));
  return { socket, messages, opened, closed };
}

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};

describe('/ws/inspect', () => {
  test('hands on what the inspection tells, until the viewer goes', async () => {
    const { url, fake } = await serve();
    const { socket, messages } = inspect(url);
    await until(() => fake.inspectors.size === 1);
    for (const send of fake.inspectors) send('{"type":"@xstate.actor"}');
    await until(() => messages.length === 1);
    socket.send('whatever a viewer says is read and dropped');
    socket.close();
    await until(() => fake.inspectors.size === 0);
    expect(messages).toEqual(['{"type":"@xstate.actor"}']);
  });

  test.each([
    ['ann', 403, 'operators_only'],
    [null, 401, 'unauthenticated'],
    ['olga', 426, 'upgrade_required'],
  ] as const)('answers %s with %i %s', async (person, status, code) => {
    const { url } = await serve({ tokens });
    const answer = await ask(`${url}/ws/inspect`, { headers: credentials(person) });
    expect(answer).toMatchObject({ status, body: { code } });
  });

  test('takes a ticket of an operator, from a browser that cannot send a header, and none of a user', async () => {
    const { url, fake } = await serve({ tokens });
    const ticket = async (person: 'ann' | 'olga') => {
      const { body } = await ask(`${url}/tickets`, { method: 'POST', headers: credentials(person) });
      return `?ticket=${body.ticket}`;
    };
    await inspect(url, await ticket('olga')).opened;
    const refused = inspect(url, await ticket('ann'));
    expect((await refused.closed).code).toBe(1006); // no upgrade
    await until(() => fake.inspectors.size === 1);
  });

  test('is not there where the inspector is off, and neither is the page', async () => {
    const { url } = await serve({ inspection: null });
    for (const path of ['/ws/inspect', '/inspector', '/inspector/bridge.js']) {
      expect(await ask(url + path)).toMatchObject({ status: 404, body: { code: 'inspector_disabled' } });
    }
  });

  test('drops a viewer that does not read, and keeps the others', async () => {
    const { url, fake, port } = await serve({ inspector: { viewers: 5, bufferBytes: 100_000 } });
    const { messages } = inspect(url);
    await until(() => fake.inspectors.size === 1);
    const deaf = connect(port, '127.0.0.1');
    open.push(deaf);
    deaf.on('error', () => {});
    deaf.write(
      'GET /ws/inspect HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await once(deaf, 'readable'); // and never read
    await until(() => fake.inspectors.size === 2);
    const big = `"${'x'.repeat(50_000)}"`;
    let sent = 0;
    while (fake.inspectors.size === 2) {
      if (messages.length === sent) {
        for (const send of fake.inspectors) send(big);
        sent += 1;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => messages.length === sent);
    for (const send of fake.inspectors) send(big);
    await until(() => messages.length === sent + 1);
    expect(sent * big.length, 'what it cost').toBeLessThan(20_000_000);
  });

  test('takes so many viewers and no more', async () => {
    const { url, fake } = await serve({ inspector: { viewers: 1, bufferBytes: 100_000 } });
    const first = inspect(url);
    await until(() => fake.inspectors.size === 1);
    expect((await inspect(url).closed).code).toBe(4430);
    first.socket.close();
    await until(() => fake.inspectors.size === 0);
    await inspect(url).opened;
  });
});
