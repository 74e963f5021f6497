import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { httpClient, type RequestOptions } from '../../src/client/http.client.ts';
import { createClient } from '../../src/client/index.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const failure = (code: string) => Object.assign(new TypeError('fetch failed'), { cause: { code } });

/** A service that cannot be reached for the first so many requests; `at` says when each was sent. */
function losing({ lost, code = 'ECONNRESET' }: { lost: number; code?: string }) {
  const at: number[] = [];
  const begun = Date.now();
  const send = httpClient({
    url: 'http://service',
    async fetch() {
      at.push(Date.now() - begun);
      if (at.length <= lost) throw failure(code);
      return new Response('{}');
    },
  });
  const sent = async (method: 'GET' | 'POST' | 'DELETE', options: RequestOptions = {}) => {
    const answer = send(method, '/x', options).then(
      ({ status }) => status as number | string,
      (error: { code?: string; message: string }) => error.code ?? error.message,
    );
    await vi.runAllTimersAsync();
    return answer;
  };
  return { at, sent };
}

describe('a request whose connection is lost', () => {
  test('is sent again where twice is as good as once, a moment later and once more after that', async () => {
    const reading = losing({ lost: 2 });
    expect(await reading.sent('GET')).toBe(200);
    expect(reading.at).toEqual([0, 200, 1200]);
    const keyed = losing({ lost: 1 });
    expect(await keyed.sent('POST', { repeatable: true })).toBe(200);
    expect(keyed.at).toEqual([0, 200]);
  });

  test.each([
    ['POST', {}],
    ['DELETE', {}],
    ['GET', { repeatable: false }],
  ] as const)('is not sent again where it may have been done: %s %j', async (method, options) => {
    const { at, sent } = losing({ lost: 1 });
    expect(await sent(method, options)).toBe('connection_lost');
    expect(at).toHaveLength(1);
  });

  test('fails after the third time', async () => {
    const { at, sent } = losing({ lost: 9 });
    expect(await sent('GET')).toBe('connection_lost');
    expect(at).toHaveLength(3);
  });

  test('is not sent again where there is no service at all', async () => {
    const { at, sent } = losing({ lost: 9, code: 'ECONNREFUSED' });
    expect(await sent('GET')).toBe('unreachable');
    expect(at).toHaveLength(1);
  });

  test('is not sent again once its caller has stopped waiting', async () => {
    const stop = new AbortController();
    const { at, sent } = losing({ lost: 9 });
    setTimeout(() => stop.abort(new Error('enough')), 100);
    expect(await sent('GET', { signal: stop.signal })).toBe('enough');
    expect(at).toHaveLength(1);
  });
});

describe('an upload whose connection is lost', () => {
  const input = { name: 'Mine', csv: 'Symbol' };
  type Portfolios = ReturnType<typeof createClient>['portfolios'];

  test.each<[string, (portfolios: Portfolios) => Promise<unknown>, number]>([
    ['with a key is sent again: it is saved once', (one) => one.upload(input, { idempotencyKey: 'k' }), 3],
    ['without a key is not: it might be saved twice', (one) => one.upload(input), 1],
    ['as a dry run is sent again: it saves nothing', (one) => one.dryRun(input), 3],
  ])('%s', async (_, upload, times) => {
    let sent = 0;
    const { portfolios } = createClient({
      url: 'http://service',
      async fetch() {
        sent += 1;
        throw failure('ECONNRESET');
      },
    });
    const ended = expect(upload(portfolios)).rejects.toMatchObject({ code: 'connection_lost' });
    await vi.runAllTimersAsync();
    await ended;
    expect(sent).toBe(times);
  });
});

test('a request may take as long as it asks the service to wait, and its own time on top', async () => {
  const deadlines: number[] = [];
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    deadlines.push(ms);
    return new AbortController().signal;
  });
  const preferred: (string | null)[] = [];
  const send = httpClient({
    url: 'http://service',
    timeoutMs: 5000,
    async fetch(_, init) {
      preferred.push(new Headers(init?.headers).get('prefer'));
      return new Response('{}');
    },
  });
  await send('GET', '/x');
  await send('GET', '/x', { wait: 60 });
  expect(deadlines).toEqual([5000, 65_000]);
  expect(preferred).toEqual([null, 'wait=60']);
  timeout.mockRestore();
});
