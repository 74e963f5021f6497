import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { credentials, type Person } from '../../support/tokens.ts';
import { watch } from '../feed-client.ts';
import { ask, type Json, serve, tokens } from '../serve.ts';

const sockets: WebSocket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** Opens a socket; resolves with its first frame's type, or with the code it was closed with. */
async function open(url: string, path = '/ws'): Promise<string | number> {
  const socket = new WebSocket(url.replace('http', 'ws') + path);
  sockets.push(socket);
  return new Promise((resolve) => {
    socket.onmessage = ({ data }) => resolve((JSON.parse(String(data)) as { type: string }).type);
    socket.onclose = ({ code }) => resolve(code);
  });
}

/** The status that an upgrade is answered with: a browser's page does not see it. */
function upgrade(port: number, path: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({
      port,
      path,
      headers: {
        connection: 'upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    asked.on('response', ({ statusCode, socket }) => {
      socket.destroy();
      resolve(statusCode ?? 0);
    });
    asked.on('upgrade', (_, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.on('error', reject);
    asked.end();
  });
}

const ticketFor = async (url: string, person: Person | null) => {
  const { status, headers, body } = await ask(`${url}/tickets`, {
    method: 'POST',
    headers: credentials(person),
  });
  return { status, cache: headers.get('cache-control'), ...(body as Json) };
};

describe('a WebSocket, once there are tokens,', () => {
  test('opens with a ticket, once', async () => {
    const { url, port, server } = await serve({ tokens });
    const { status, cache, ticket, expires_at } = await ticketFor(url, 'ann');
    expect([status, cache, expires_at]).toEqual([201, 'no-store', '2026-03-02T14:30:30.000Z']);
    expect(await open(url, `/ws?ticket=${ticket}`)).toBe('hello');
    expect(server.websocketServer.clients.size).toBe(1);
    expect(await upgrade(port, `/ws?ticket=${ticket}`)).toBe(401);
  });

  test('opens with a token in the header, and with nothing not at all', async () => {
    const { port, fake } = await serve({ tokens });
    expect(await upgrade(port, '/ws', credentials('ann'))).toBe(101);
    expect(await upgrade(port, '/ws', { authorization: 'Bearer wrong' })).toBe(401);
    expect(await upgrade(port, '/ws?ticket=guess')).toBe(401);
    expect(await upgrade(port, '/ws')).toBe(401);
    expect(fake.calls.filter(([what]) => what === 'redeem')).toEqual([['redeem', 'guess']]);
  });

  test('does not open with the ticket of somebody whose token is gone', async () => {
    const { port, fake } = await serve({ tokens });
    fake.tickets.set('left', { name: 'eve', role: 'operator' });
    fake.tickets.set('demoted', { name: 'ann', role: 'operator' });
    expect(await upgrade(port, '/ws?ticket=left')).toBe(401);
    expect(await upgrade(port, '/ws?ticket=demoted')).toBe(401);
  });

  test('is the only thing that a ticket opens', async () => {
    const { url, port, fake } = await serve({ tokens });
    const { ticket } = await ticketFor(url, 'ann');
    expect((await ask(`${url}/onboarding?ticket=${ticket}`)).status).toBe(401);
    expect((await ask(`${url}/ws?ticket=${ticket}`)).status).toBe(401); // no upgrade: not spent
    expect(await upgrade(port, `/portfolios?ticket=${ticket}`)).toBe(401);
    expect(fake.tickets.size).toBe(1);
  });

  test('opens for pages that are named, and spends no ticket of others', async () => {
    const { url, port, fake } = await serve({ tokens, corsOrigins: ['https://app.example'] });
    const { ticket } = await ticketFor(url, 'ann');
    expect(await upgrade(port, `/ws?ticket=${ticket}`, { origin: 'https://evil.example' })).toBe(403);
    expect(fake.tickets.size).toBe(1);
    expect(await upgrade(port, `/ws?ticket=${ticket}`, { origin: 'https://app.example' })).toBe(101);
  });

  test('opens for the page of a proxy’s own name', async () => {
    const { port } = await serve({ tokens, trustProxy: ['loopback'] });
    const headers = {
      ...credentials('ann'),
      origin: 'https://onboarding.example',
      'x-forwarded-host': 'onboarding.example',
    };
    expect(await upgrade(port, '/ws', headers)).toBe(101);
  });
});

describe('a feed that users and operators watch', () => {
  test('tells operators alone which node runs a job, over either kind of connection', async () => {
    const { url, fake } = await serve({ tokens });
    const symbols = ['BRK-B'];
    const told = async (person: Person) => {
      const { ticket } = await ticketFor(url, person);
      const client = watch(url, { path: `/ws?ticket=${ticket}` });
      const events = await fetch(`${url}/events?symbols=BRK-B`, { headers: credentials(person) });
      await client.subscribe({ symbols });
      return { client, events: events.body!.pipeThrough(new TextDecoderStream()).getReader() };
    };
    const [ann, bob, olga] = [await told('ann'), await told('bob'), await told('olga')];
    fake.emit(42);
    for (const [{ client, events }, node] of [
      [ann, null],
      [bob, null],
      [olga, 'node-1'],
    ] as const) {
      expect((await client.frame('actor')).job).toMatchObject({ symbol: 'BRK-B', node });
      expect(await client.frame('transition')).toMatchObject({ position: 42, node });
      let text = '';
      while (!text.includes('event: transition')) text += (await events.read()).value;
      expect(text.includes('"node":"node-1"')).toBe(node !== null);
      await events.cancel();
    }
  });
});

describe('a WebSocket without tokens', () => {
  test('needs no ticket, and may have one all the same', async () => {
    const { url } = await serve();
    const { status, ticket } = await ticketFor(url, null);
    expect(status).toBe(201);
    expect(await open(url, `/ws?ticket=${ticket}`)).toBe('hello');
    expect(await open(url)).toBe('hello');
  });
});

describe('too many sockets', () => {
  test('of one client are closed with 4430, until one of his is gone', async () => {
    const { url, server } = await serve({ tokens, live: { socketsPerClient: 2 } });
    const watch = async (person: Person) => open(url, `/ws?ticket=${(await ticketFor(url, person)).ticket}`);
    expect([await watch('ann'), await watch('ann'), await watch('ann')]).toEqual(['hello', 'hello', 4430]);
    expect(await watch('bob')).toBe('hello');
    const [first] = server.websocketServer.clients;
    sockets[0]!.close();
    await once(first!, 'close');
    expect(await watch('ann')).toBe('hello');
  });

  test('of all clients are closed too', async () => {
    const { url } = await serve({ live: { sockets: 1 } });
    expect([await open(url), await open(url)]).toEqual(['hello', 4430]);
  });
});
