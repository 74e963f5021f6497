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
});
