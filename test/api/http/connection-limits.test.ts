import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ask, serve } from '../serve.ts';

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Connects and sends; `answer` is all that came until the service closed the connection. */
function dial(port: number, bytes = '') {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  socket.on('error', () => {});
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.write(bytes);
  const answer = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
  return { socket, answer };
}

// Tens of milliseconds, so that no test waits long; each is cut off by one of them, the others are far away.
const slow = { headersMs: 60_000, requestMs: 60_000, idleMs: 60_000, checkMs: 10 };
const head =
  'POST /portfolios HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\nContent-Length: 100\r\n';

describe('a slow client', () => {
  test('that drips its headers is cut off', async () => {
    const { port } = await serve({ connections: { ...slow, headersMs: 50 } });
    const { socket, answer } = dial(port, 'GET /onboarding HTTP/1.1\r\nHost: 127.0.0.1\r\n');
    const drip = setInterval(() => socket.write('X-A: b\r\n'), 10);
    expect(await answer).toMatch(/^HTTP\/1.1 408 .*"request_timeout"/s);
    clearInterval(drip);
  });

  test('that connects and says nothing is cut off', async () => {
    const { port } = await serve({ connections: { ...slow, headersMs: 50 } });
    expect(await dial(port).answer).toMatch(/^HTTP\/1.1 408 /);
  });

  test('that drips its body is cut off, and nothing is saved', async () => {
    const { port, fake } = await serve({ connections: { ...slow, headersMs: 50, requestMs: 60 } });
    const { socket, answer } = dial(port, `${head}\r\n`);
    const drip = setInterval(() => socket.write('x'), 15);
    expect(await answer).toMatch(/^HTTP\/1.1 408 .*"request_timeout"/s);
    clearInterval(drip);
    expect(fake.uploads).toEqual([]);
  });

  test('that is silent for long is cut off, whatever it waits for', async () => {
    const { port, fake } = await serve({ connections: { ...slow, idleMs: 50 } });
    const asked = Promise.withResolvers<void>();
    fake.service.onboarding.overview = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    const { answer } = dial(port, 'GET /onboarding HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await asked.promise;
    expect(await answer).toBe('');
  });

  test('that moves a byte now and then is not silent', async () => {
    const { port } = await serve({ connections: { ...slow, idleMs: 200 } });
    const { socket, answer } = dial(port, `${head}Connection: close\r\n\r\n`);
    const drip = setInterval(() => socket.write('xxxx'), 20); // 100 bytes take half a second
    expect(await answer).toMatch(/^HTTP\/1.1 202 /);
    clearInterval(drip);
  });
});

describe('a request without a body', () => {
  test.each([
    ['application/json', 400],
    ['text/csv', 202], // the service that stands in takes whatever comes
  ])('but with the type of one, %s, is answered with %i, like an empty one', async (type, status) => {
    const { port } = await serve();
    const post = `POST /portfolios HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\n\r\n`;
    const [text] = (await once(dial(port, post).socket, 'data')) as [string];
    expect(text).toMatch(`HTTP/1.1 ${status} `);
  });

  test('keeps its connection when it is refused', async () => {
    const { port } = await serve();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const get = 'GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
      const { socket } = dial(port, get);
      await once(socket, 'data');
      vi.advanceTimersByTime(10_000);
      socket.write(get);
      const [second] = (await once(socket, 'data')) as [string];
      expect(second).toMatch(/^HTTP\/1.1 404 /);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a huge head', () => {
  test('of 17 KiB is 431, as a problem', async () => {
    const { port } = await serve();
    const { answer } = dial(port, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(17 * 1024)}\r\n\r\n`);
    const text = await answer;
    expect(text).toMatch(/^HTTP\/1.1 431 /);
    expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toMatchObject({ status: 431, code: 'headers_too_large' });
  });
});

describe('a form', () => {
  const part = (name: string) => `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n1\r\n`;
  const post = (url: string, body: string) =>
    ask(`${url}/portfolios`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body,
    });

  test('of too many parts is refused', async () => {
    const { url, fake } = await serve();
    const fields = Array.from({ length: 1000 }, (_, n) => part(`field${n}`)).join('');
    const { status, body } = await post(url, `${fields}--x--\r\n`);
    expect([status, body.code]).toEqual([422, 'invalid_form']);
    const files = await post(url, `${part('file')}${part('file')}--x--\r\n`);
    expect([files.status, files.body.code]).toEqual([422, 'invalid_form']);
    expect(fake.uploads).toEqual([]);
  });
});

describe('connections', () => {
  test('beyond the 1,000th are closed, and one that ends makes room', async () => {
    const { port, server } = await serve();
    let accepted = 0;
    const full = Promise.withResolvers<void>();
    server.server.on('connection', () => {
      accepted += 1;
      if (accepted === 1000) full.resolve();
    });
    const all = Array.from({ length: 1000 }, () => dial(port));
    await full.promise;
    const closing = once(server.server, 'drop');
    expect(await dial(port).answer).toBe('');
    await closing;
    expect(accepted).toBe(1000);

    const left = Promise.withResolvers<void>();
    server.server.once('connection', () => left.resolve());
    all[0]!.socket.destroy();
    await all[0]!.answer;
    const get = 'GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';
    // Our end may be closed before the service's: ask until it has noticed.
    let answer = '';
    while (answer === '') answer = await dial(port, get).answer;
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    await left.promise;
  });

  test('are asked to end after a number of requests', async () => {
    const { port } = await serve({ connections: { requestsPerConnection: 2 } });
    const get = 'GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    const { socket } = dial(port, get);
    const [first] = (await once(socket, 'data')) as [string];
    socket.write(get);
    const [second] = (await once(socket, 'data')) as [string];
    expect(first).toMatch(/^connection: keep-alive/im);
    expect(second).toMatch(/^connection: close/im);
  });
});
