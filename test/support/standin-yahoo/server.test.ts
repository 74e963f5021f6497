import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StandinYahoo, startStandinYahoo } from './server.ts';

const now = Date.parse('2026-07-31T18:00:00Z'); // New York's session is running
let yahoo: StandinYahoo;

beforeEach(async () => {
  yahoo = await startStandinYahoo({ now: () => now });
});
afterEach(() => yahoo.close());

const get = (path: string, init?: RequestInit) => fetch(yahoo.url + path, init);
const control = async (path: string, init?: RequestInit) => (await get(`/__control/${path}`, init)).status;
const chart = '/v8/finance/chart/AAPL?period1=1785283200&period2=1785542400&interval=1d';

describe('the stand-in for Yahoo, by hand', () => {
  test('tells what it was asked, and forgets it', async () => {
    await get(chart);
    await get('/v1/test/getcrumb', { headers: { 'x-original-host': 'query1.finance.yahoo.com' } });
    const requests = async () => (await get('/__control/requests')).json();
    expect(await requests()).toEqual([
      { method: 'GET', host: 'query2.finance.yahoo.com', path: chart, status: 200, fault: null },
      {
        method: 'GET',
        host: 'query1.finance.yahoo.com',
        path: '/v1/test/getcrumb',
        status: 401,
        fault: null,
      },
    ]);
    expect(await control('requests', { method: 'DELETE' })).toBe(204);
    expect(await requests()).toEqual([]);
  });

  test('misbehaves as often as it is told to', async () => {
    const fault = { match: '/chart/AAPL', kind: '429', count: 1, retryAfter: 5 };
    expect(await control('faults', { method: 'PUT', body: JSON.stringify(fault) })).toBe(204);
    const throttled = await get(chart);
    expect([throttled.status, throttled.headers.get('retry-after')]).toEqual([429, '5']);
    expect((await get(chart)).status).toBe(200);
    expect(await (await get('/__control/faults')).json()).toEqual([{ ...fault, left: 0 }]);
    expect(await control('faults', { method: 'DELETE' })).toBe(204);
    expect(await (await get('/__control/faults')).json()).toEqual([]);
  });

  test('refuses a fault that it does not know, and says what it expected', async () => {
    const response = await get('/__control/faults', {
      method: 'PUT',
      body: '{"match":"AAPL","kind":"fire"}',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: expect.stringContaining('got: {"match":"AAPL","kind":"fire"}'),
    });
    expect(await control('anything')).toBe(404);
  });

  test('wants cookies for the crumb, and both for a quote', async () => {
    const page = await get('/quote/AAPL');
    const cookie = page.headers.getSetCookie().join('; ');
    const crumb = await (await get('/v1/test/getcrumb', { headers: { cookie } })).text();
    const quote = (of: string, headers = {}) =>
      get(`/v7/finance/quote?symbols=AAPL,NOPE&crumb=${of}`, { headers });
    expect((await quote(crumb)).status).toBe(401);
    expect((await quote('wrong', { cookie })).status).toBe(401);
    const answer = await (await quote(crumb, { cookie })).json();
    expect(answer).toMatchObject({
      quoteResponse: { result: [{ symbol: 'AAPL', currency: 'USD' }], error: null },
    });
    expect(await control('crumb', { method: 'POST' })).toBe(204);
    expect((await quote(crumb, { cookie })).status).toBe(401);
  });

  test('shows the running session as a live row, stamped with the last trade', async () => {
    const answer = await (await get(chart)).json();
    const seconds = (instant: string) => Date.parse(instant) / 1000;
    const regular = {
      start: seconds('2026-07-31T13:30Z'),
      end: seconds('2026-07-31T20:00Z'),
      gmtoffset: -14_400,
    };
    expect(answer).toMatchObject({
      chart: {
        result: [
          {
            meta: { currentTradingPeriod: { regular } },
            timestamp: ['2026-07-29T13:30Z', '2026-07-30T13:30Z', '2026-07-31T18:00Z'].map(seconds),
          },
        ],
      },
    });
  });

  test('counts what was asked for, by what it is, beyond what its log holds', async () => {
    for (const path of [
      chart,
      chart,
      '/v8/finance/chart/%5EGSPC',
      '/v7/finance/quote?symbols=A',
      '/quote/AAPL',
    ])
      await get(path);
    const counts = await (await get('/__control/counts')).json();
    expect(counts).toEqual({ total: 5, charts: { AAPL: 2, '^GSPC': 1 }, quotes: 1, crumbs: 0, others: 1 });
    expect(await control('requests', { method: 'DELETE' })).toBe(204);
    expect(await (await get('/__control/counts')).json()).toMatchObject({ total: 0, charts: {} });
  });

  test('answers as it is told to, whatever that is', async () => {
    const recorded = [
      { path: '/v8/finance/chart/AAPL', status: 200, bodyText: '<!doctype html>' },
      { path: '/v1/test/getcrumb', status: 429, bodyText: 'Too Many Requests' },
    ];
    expect(await control('recordings', { method: 'PUT', body: JSON.stringify(recorded) })).toBe(204);
    expect(await (await get(chart)).text()).toBe('<!doctype html>');
    expect((await get('/v1/test/getcrumb')).status).toBe(429);
    expect(await control('recordings', { method: 'PUT', body: '[{"path":"chart"}]' })).toBe(400);
    expect(await control('recordings', { method: 'DELETE' })).toBe(204);
    expect(await (await get(chart)).json()).toMatchObject({ chart: { error: null } });
    await control('consent', { method: 'PUT' });
    expect((await get('/quote/AAPL', { redirect: 'manual' })).status).toBe(307);
  });

  test.each([
    ['nulls', 200],
    ['400', 400],
    ['redirect', 302],
    ['late', 200],
  ])('does %s too', async (kind, status) => {
    const fault = { match: '/chart/AAPL', kind, delayMs: 1 };
    await control('faults', { method: 'PUT', body: JSON.stringify(fault) });
    const answer = await get(chart, { redirect: 'manual' });
    expect(answer.status).toBe(status);
    if (kind !== 'nulls') return;
    const result = {
      timestamp: Array(3).fill(expect.any(Number)),
      indicators: { quote: [{ close: Array(3).fill(null) }] },
    };
    expect(await answer.json()).toMatchObject({ chart: { result: [result] } });
  });
});
