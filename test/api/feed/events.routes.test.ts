import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { credentials } from '../../support/tokens.ts';
import { ask, type Json, serve, tokens } from '../serve.ts';
import { missingId, portfolioId } from '../views.ts';

interface Event {
  event?: string;
  id?: string;
  data?: Json;
  retry?: string;
  comment?: string;
}

const streams: AbortController[] = [];
afterEach(() => {
  for (const stream of streams.splice(0)) stream.abort();
});

/** Reads events one by one, as a browser would. */
async function listen(url: string, path: string, headers: Record<string, string> = {}) {
  const stop = new AbortController();
  streams.push(stop);
  const response = await fetch(url + path, { headers, signal: stop.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const next = async (): Promise<Event | null> => {
    while (!text.includes('\n\n')) {
      const { value, done } = await reader.read();
      if (done) return null;
      text += value;
    }
    const [block = ''] = text.split('\n\n', 1);
    text = text.slice(block.length + 2);
    const fields = block.split('\n').map((line) => {
      const [name = '', value = ''] = line.split(/: (.*)/s);
      return [name === '' ? 'comment' : name, name === 'data' ? JSON.parse(value) : value];
    });
    return Object.fromEntries(fields) as Event;
  };
  const until = async (event: string) => {
    for (;;) {
      const one = await next();
      if (one === null || one.event === event) return one;
    }
  };
  return { response, next, until, stop };
}

describe('/events', () => {
  test('streams the frames of one subscription, those with an id that can be resumed after', async () => {
    const { url, fake } = await serve();
    const { response, next, until } = await listen(url, '/events?symbols=brk.b,AAPL');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-market-data': 'simulated',
      'x-content-type-options': 'nosniff',
    });
    expect(await next()).toEqual({ retry: '1000' });
    expect(await next()).toMatchObject({ event: 'hello', data: { position: 41 } });
    expect(await next()).toMatchObject({ event: 'subscribed', data: { subscription: 'events' } });
    const actor = await next();
    expect([actor?.event, actor?.id]).toEqual(['actor', undefined]);
    expect(await until('live')).toMatchObject({ id: '41' });
    fake.emit(42);
    expect(await next()).toMatchObject({ event: 'transition', id: '42', data: { symbol: 'BRK-B' } });
    expect(fake.calls[0]).toMatchObject(['state', [{ symbols: ['BRK-B', 'AAPL'] }], { name: 'local' }]);
  });

  test.each([
    ['its header', '', { 'last-event-id': '40' }],
    ['its query', '&after=40', {}],
  ])('resumes after the event that %s names', async (_, query, headers) => {
    const { url, fake } = await serve();
    fake.missed = [fake.emit(41)];
    const { until } = await listen(url, `/events?everything=true${query}`, headers);
    expect(await until('resumed')).toMatchObject({ data: { after: 40 } });
    expect(await until('transition')).toMatchObject({ id: '41' });
    expect(await until('live')).toMatchObject({ id: '41' });
  });

  // An EventSource comes back to the address that it was given, with a header that is newer.
  test('resumes after the last event where the address names one from before', async () => {
    const { url } = await serve();
    const { until } = await listen(url, '/events?symbols=AAPL&after=3', { 'last-event-id': '40' });
    expect(await until('resumed')).toMatchObject({ data: { after: 40 } });
  });

  test('says so when what was missed cannot be told, and begins anew', async () => {
    const { url, fake } = await serve();
    fake.replay = { kind: 'resync', reason: 'expired', floor: 30, position: 41 };
    const { until } = await listen(url, '/events?symbols=AAPL', { 'last-event-id': '3' });
    expect(await until('resync')).toMatchObject({ data: { reason: 'expired', floor: 30 } });
    expect(await until('live')).toMatchObject({ id: '41' });
  });

  test('moves the id on while nothing happens that was asked for', async () => {
    let now = 0;
    const clock = { now: () => now, sleepUntil: async () => {} };
    const { url, fake } = await serve({ clock, live: { pingIntervalMs: 10 } });
    const { until, next } = await listen(url, '/events?symbols=ZZZ');
    await until('live');
    fake.emit(42);
    now = 20;
    expect(await next()).toEqual({ comment: 'heartbeat', id: '42' });
  });

  test('answers a refusal with a status, which ends an EventSource', async () => {
    const { url } = await serve({ tokens });
    const stream = (query: string) => ask(`${url}/events${query}`, { headers: credentials('ann') });
    const codes = async (query: string) => (await stream(query)).body.code;
    expect(await codes('')).toBe('invalid_request');
    expect(await codes('?symbols=%3Cscript%3E')).toBe('invalid_request');
    expect(await codes('?everything=true')).toBe('operators_only');
    expect(await codes(`?portfolios=${portfolioId},${missingId}`)).toBe('portfolio_not_found');
    expect((await ask(`${url}/events?symbols=AAPL`)).status).toBe(401);
    expect((await ask(`${url}/events?symbols=A`, { method: 'HEAD' })).status).toBe(401);
  });

  test('opens with a ticket, once, and for pages that are named', async () => {
    const { url, fake } = await serve({ tokens });
    fake.tickets.set('one', { name: 'ann', role: 'user' });
    const { next } = await listen(url, '/events?symbols=AAPL&ticket=one');
    expect(await next()).toEqual({ retry: '1000' });
    expect((await ask(`${url}/events?symbols=AAPL&ticket=one`)).status).toBe(401);
    const headers = { ...credentials('ann'), origin: 'https://evil.example' };
    expect((await ask(`${url}/events?symbols=AAPL`, { headers })).body.code).toBe('cross_origin');
  });

  test('counts among the connections of its client', async () => {
    const { url } = await serve({ live: { socketsPerClient: 1 } });
    const { next, stop } = await listen(url, '/events?symbols=AAPL');
    await next();
    const refused = await ask(`${url}/events?symbols=AAPL`);
    expect([refused.status, refused.body.code]).toEqual([429, 'too_many_connections']);
    stop.abort();
    for (let status = 429; status === 429; ) {
      const again = await listen(url, '/events?symbols=AAPL');
      status = again.response.status;
      again.stop.abort();
    }
  });

  test('keeps no place for a client that was gone before its stream began', async () => {
    const { url, server, fake } = await serve({ live: { socketsPerClient: 1 } });
    const gate = Promise.withResolvers<void>();
    fake.whileReading = () => gate.promise;
    const leaving = new AbortController();
    const asked = ask(`${url}/events?portfolios=${portfolioId}`, { signal: leaving.signal });
    const [, response] = (await once(server.server, 'request')) as [unknown, ServerResponse];
    leaving.abort();
    await Promise.all([expect(asked).rejects.toThrow(), once(response, 'close')]);
    gate.resolve();
    const { next } = await listen(url, '/events?symbols=AAPL');
    expect(await next()).toEqual({ retry: '1000' });
  });

  test('drops a client that does not read, and says so to one that comes to read again', async () => {
    let now = 0;
    const clock = { now: () => now, sleepUntil: async () => {} };
    const live = { bufferBytes: 20_000, slowMs: 50, closeTimeoutMs: 20, pingIntervalMs: 20 };
    const { port, fake, server } = await serve({ clock, live });
    const socket = connect(port, '127.0.0.1');
    const [request] = (await Promise.all([
      once(server.server, 'request'),
      socket.write('GET /events?everything=true HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'),
    ])) as unknown as [[unknown, import('node:http').ServerResponse]];
    const [, response] = request;
    const gone = once(response, 'close');
    let position = 41;
    let highest = 0;
    while (!response.writableEnded) {
      for (let burst = 0; burst < 100; burst += 1) fake.emit(++position);
      highest = Math.max(highest, response.writableLength);
      now += 1;
      await new Promise(setImmediate);
    }
    await gone;
    expect(highest).toBeLessThan(100_000);
    socket.destroy();
  });

  test('ends when the server stops', async () => {
    const { url, close } = await serve();
    const { until } = await listen(url, '/events?symbols=AAPL');
    await until('live');
    const stopped = close();
    expect(await until('never')).toBe(null);
    await stopped;
  });
});
