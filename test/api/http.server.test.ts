import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/kernel/errors.ts';
import { jobId, portfolioId } from './fake-service.ts';
import { ask, type Json, serve } from './serve.ts';

describe('the edge of the API', () => {
  test('GET / tells where everything is and that the market is simulated', async () => {
    const { url } = await serve();
    const { status, headers, body } = await ask(url);
    expect(status).toBe(200);
    expect(body.notice).toContain('simulated');
    expect(body.links).toMatchObject({ portfolios: '/portfolios', jobs: '/onboarding/jobs' });
    expect(headers.get('x-market-data')).toBe('simulated');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('a real market is named and needs no notice', async () => {
    const { url } = await serve({ marketData: { providers: ['yahoo'], simulated: false } });
    const { headers, body } = await ask(url);
    expect(body.notice).toBeNull();
    expect(headers.get('x-market-data')).toBe('yahoo');
  });

  test('a request id is made, or kept when it can do no harm', async () => {
    const { url } = await serve();
    const ask404 = (id: string) => ask(`${url}/nowhere`, { headers: { 'x-request-id': id } });
    const kept = await ask404('trace-1');
    expect(kept.body.request_id).toBe('trace-1');
    expect(kept.headers.get('x-request-id')).toBe('trace-1');
    const made = [await ask404('a b'), await ask404('a b')].map(({ body }) => body.request_id);
    const other = await serve();
    made.push((await ask(`${other.url}/nowhere`)).body.request_id);
    for (const id of made) expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(made).size).toBe(3);
  });

  test('an unknown path is 404 as problem details', async () => {
    const { url } = await serve();
    const { status, headers, body } = await ask(`${url}/nowhere?token=secret`);
    expect(status).toBe(404);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toEqual({
      type: '/problems/not_found',
      title: 'No such resource',
      status: 404,
      code: 'not_found',
      detail: 'Unknown path /nowhere.',
      instance: '/nowhere',
      request_id: expect.any(String),
    });
  });

  test.each([
    ['DELETE', '/portfolios', 'GET, HEAD, POST'],
    ['GET', '/onboarding/pause', 'POST'],
    ['POST', `/portfolios/${portfolioId}`, 'DELETE, GET, HEAD'],
    ['PUT', '/symbols/AAPL/status', 'GET, HEAD'],
    ['PATCH', `/onboarding/jobs/${jobId}`, 'GET, HEAD'],
    ['OPTIONS', '/onboarding', 'GET, HEAD'],
  ])('%s %s is 405 and Allow says %s', async (method, path, allow) => {
    const { url } = await serve();
    const { status, headers, body } = await ask(`${url}${path}`, { method });
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe(allow);
    expect(body).toMatchObject({ code: 'method_not_allowed', allow: allow.split(', ') });
  });

  test('405 comes before anybody looks at the body', async () => {
    const { url } = await serve();
    const { status } = await ask(`${url}/onboarding`, { method: 'POST', body: 'text' });
    expect(status).toBe(405);
  });

  test('HEAD answers like GET without a body', async () => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/onboarding`, { method: 'HEAD' });
    expect([status, body]).toEqual([200, null]);
  });

  test.each([
    ['text/html', 406],
    ['application/json;q=0', 406],
    ['text/html, */*;q=0.1', 200],
    ['application/*', 200],
  ])('Accept: %s is answered with %i', async (accept, expected) => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/onboarding`, { headers: { accept } });
    expect(status).toBe(expected);
    if (expected === 406) expect(body.code).toBe('not_acceptable');
  });

  test('a page of another origin may not post, but may be shown the way', async () => {
    const { url, fake } = await serve();
    const post = (origin: string) =>
      ask(`${url}/portfolios`, {
        method: 'POST',
        headers: { origin, 'content-type': 'text/csv' },
        body: 'x',
      });
    for (const origin of ['https://evil.example', 'null']) {
      const { status, body } = await post(origin);
      expect([status, body.code]).toEqual([403, 'cross_origin']);
    }
    expect(fake.uploads).toEqual([]);
    expect((await post(url)).status).toBe(202);
    expect((await ask(url, { headers: { origin: 'https://evil.example' } })).status).toBe(200);
  });

  test.each([
    ['evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['192.168.1.2', 421],
    ['localhost', 200],
    ['[::1]', 200],
  ])(
    'a request to the host %s is %i: a rebound name must not open the service to its pages',
    async (host, status) => {
      const { port } = await serve();
      const asked = async (name: string) => {
        const socket = connect(port, '127.0.0.1');
        socket.end(`GET /health/live HTTP/1.1\r\nHost: ${name}:${port}\r\nConnection: close\r\n\r\n`);
        return text(socket);
      };
      expect(await asked('127.0.0.1')).toMatch(/^HTTP\/1.1 200 /);
      for (const answer of [await asked(host), await asked(host)]) {
        expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
        expect(answer.includes('"foreign_host"')).toBe(status === 421);
      }
    },
  );

  test('a path that is not valid percent-encoding is 400', async () => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/symbols/%zz/status`);
    expect([status, body.code]).toEqual([400, 'malformed_request']);
  });

  test('a symbol too long to be one is refused, whatever its length', async () => {
    const { url } = await serve();
    expect((await ask(`${url}/symbols/${'A'.repeat(65)}/status`)).status).toBe(422);
    const { status, body } = await ask(`${url}/symbols/${'A'.repeat(300)}/status`);
    expect([status, body.code]).toEqual([414, 'uri_too_long']);
  });
});

describe('a failure', () => {
  test('of our own tells the client a request id and nothing else', async () => {
    const { url, fake } = await serve();
    fake.failure = new Error('password=hunter2 at db.ts:1');
    const { status, body } = await ask(`${url}/onboarding`);
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: 'internal_error', type: '/problems/internal_error' });
    expect(body.detail).toContain(body.request_id);
    expect(JSON.stringify(body)).not.toContain('hunter2');
  });

  test('to keep our own schema is a 500, not a wrong answer', async () => {
    const { url, fake } = await serve();
    fake.service.onboarding.overview = async () => ({ depth: 'many' }) as Json;
    expect((await ask(`${url}/onboarding`)).status).toBe(500);
  });

  test('of a provider is 503 with the time it asked for', async () => {
    const { url, fake } = await serve();
    const retryAt = Date.parse('2026-03-02T14:30:42Z');
    fake.failure = new AppError('provider_throttled', 'Yahoo asks to wait.', { retryAt });
    const { status, headers, body } = await ask(`${url}/symbols/AAPL/status`);
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('42');
    expect(body).toMatchObject({ code: 'provider_throttled', retry_after_seconds: 42 });
  });

  test('that may pass is 503 with Retry-After although nobody named its code', async () => {
    const { url, fake } = await serve();
    fake.failure = new AppError('lock_timeout', 'The database is busy.', { retryable: true });
    const { status, headers, body } = await ask(`${url}/onboarding`);
    expect([status, headers.get('retry-after')]).toEqual([503, '5']);
    expect(body).toMatchObject({ code: 'temporarily_unavailable', detail: 'The database is busy.' });
  });
});

describe('a huge body', () => {
  const mebibyte = Buffer.alloc(1024 * 1024, 'x');

  /** Sends chunks until it is answered and cut off; tells what came back and how much went out. */
  function flood(port: number, headers: Record<string, string>, preamble = '') {
    return new Promise<{ status: number; body: Json; sentMebibytes: number }>((resolve, reject) => {
      let sentMebibytes = 0;
      let answered = false;
      const outgoing = request({ port, method: 'POST', path: '/portfolios', headers }, (response) => {
        answered = true;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = JSON.parse(Buffer.concat(chunks).toString()) as Json;
          outgoing.destroy();
          resolve({ status: response.statusCode ?? 0, body, sentMebibytes });
        });
      });
      outgoing.on('error', (error) => answered || reject(error));
      outgoing.write(preamble);
      const pour = () => {
        if (answered || sentMebibytes >= 200) return;
        sentMebibytes += 1;
        outgoing.write(mebibyte, () => setImmediate(pour));
      };
      pour();
    });
  }

  test.each([
    ['text/csv', '', 'ERR_CSV_001'],
    ['application/json', '', undefined],
    [
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n',
      'ERR_CSV_001',
    ],
  ])('of %s is cut off at 10 MiB with 413', async (type, preamble, code) => {
    const { port, fake } = await serve();
    const { status, body, sentMebibytes } = await flood(port, { 'content-type': type }, preamble);
    expect(status).toBe(413);
    expect(body.code).toBe('payload_too_large');
    expect(body.errors?.[0].code).toBe(code);
    expect(sentMebibytes).toBeLessThan(60);
    expect(fake.uploads).toEqual([]);
  });

  test('that announces itself is refused before it is sent', async () => {
    const { port } = await serve();
    const headers = { 'content-type': 'text/csv', 'content-length': String(11 * 1024 * 1024) };
    const { status, sentMebibytes } = await flood(port, headers);
    expect(status).toBe(413);
    expect(sentMebibytes).toBeLessThanOrEqual(11);
  });
});

describe('bytes that are not HTTP', () => {
  const send = (port: number, bytes: string) =>
    new Promise<string>((resolve, reject) => {
      let answer = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      socket.setEncoding('utf8');
      socket.on('data', (text) => {
        answer += text;
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', (error) => answer === '' && reject(error));
    });

  test.each([
    ['NONSENSE\r\n\r\n', 400, 'malformed_request'],
    [`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ])('%.12s is answered in the same words', async (bytes, status, code) => {
    const { port } = await serve();
    const answer = await send(port, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('application/problem+json');
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status, code });
  });
});

describe('logging', () => {
  test('shows the path of a request, and neither its query nor its body', async () => {
    const { pino } = await import('pino');
    const { logOptions } = await import('../../src/api/http/request-log.ts');
    const lines: string[] = [];
    const logger = pino(logOptions('trace'), { write: (line: string) => void lines.push(line) });
    const { url, fake } = await serve({ logger });
    fake.answer = {
      kind: 'rejected_rows',
      problems: [{ code: 'ERR_POS_001', message: 'SECRETCELL', value: 'SECRETCELL' }],
      warnings: [],
    };
    await ask(`${url}/portfolios?name=SECRETNAME`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv', authorization: 'Bearer SECRETTOKEN' },
      body: 'SECRETCELL',
    });
    const log = lines.join('');
    expect(log).toContain('"path":"/portfolios"');
    expect(log).toContain('invalid_rows');
    expect(log).not.toMatch(/SECRET/);
  });
});
