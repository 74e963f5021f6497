import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { AppError } from '../../../src/kernel/errors.ts';
import { systemClock } from '../../../src/kernel/system.clock.ts';
import { providerGate } from '../../../src/market/provider-gate.client.ts';
import { yahooFetch } from '../../../src/market/yahoo/yahoo.fetch.ts';
import { judgeAnswer } from '../../../src/market/yahoo/yahoo-answers.ts';
import { replayed, started, stopAll } from '../../support/standin-yahoo/fixture.ts';
import type { Recording } from '../../support/standin-yahoo/server.ts';

const folder = new URL('../../../../shared/data/yahoo/', import.meta.url);

afterEach(stopAll);

/** No chart of a symbol. */
const gone = (symbol: string): Recording => ({
  path: `/v8/finance/chart/${symbol}`,
  status: 404,
  bodyJson: { chart: { result: null, error: { code: 'Not Found' } } },
});

interface Shape {
  what: string;
  path?: string;
  host?: string;
  status: number;
  headers?: Record<string, string>;
  bodyJson?: unknown;
  bodyText?: string;
}
const shapesFile = new URL('STANDIN-SHAPES.json', folder);
const shapes: Shape[] = existsSync(shapesFile) ? JSON.parse(readFileSync(shapesFile, 'utf8')).shapes : [];

const recordings = existsSync(folder)
  ? readdirSync(folder)
      .filter((name) => name.endsWith('.json') && name !== 'STANDIN-SHAPES.json')
      .map((name) => name.slice(0, -'.json'.length))
  : [];

describe.skipIf(!existsSync(folder))('recordings of Yahoo (reads data outside the repository)', () => {
  const recorded = (name: string): Recording =>
    JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));

  test.each(recordings.filter((name) => /^(chart|historical)/.test(name)))(
    '%s becomes bars of its range, or no price data',
    async (name) => {
      const recording = recorded(name);
      const url = new URL(recording.path, 'https://query2.finance.yahoo.com');
      const symbol = decodeURIComponent(url.pathname.split('/').at(-1)!);
      const day = (period: string) =>
        new Date(Number(url.searchParams.get(period)) * 1000).toISOString().slice(0, 10);
      const range = { from: day('period1'), to: day('period2') };
      const provider = await replayed([recording]);
      const { bars = [], instrument } = await provider
        .history({ symbol, ...range })
        .catch((error: AppError) => {
          expect(error).toMatchObject({ code: 'no_price_data', retryable: false });
          return { bars: undefined, instrument: null };
        });
      if (instrument === null) return;
      expect(instrument).toMatchObject({ symbol, currency: expect.stringMatching(/^[A-Z]{3}$/) });
      expect(bars.length).toBeGreaterThan(1);
      expect(
        bars.every(({ date, close }) => date >= range.from && date <= range.to && Number(close) > 0),
      ).toBe(true);
      expect(await provider.lookup([symbol])).toMatchObject([{ verdict: 'valid', instrument: { symbol } }]);
    },
  );

  test.each(recordings.filter((name) => /quote-|quoteCombine/.test(name) && !name.startsWith('getCrumb')))(
    '%s vouches for what it knows, and leaves the rest to the charts',
    async (name) => {
      const recording = recorded(name);
      const asked = new URL(recording.path, 'https://x').searchParams.get('symbols')!.split(',');
      const provider = await replayed([recording, ...asked.map(gone)], undefined, { chartsMax: 0 });
      const dead = ['BRKS', 'ADH', 'NONEXIST']; // delisted, recycled, never there
      const verdicts = await provider.lookup(asked);
      expect(verdicts.map(({ symbol, verdict }) => [symbol, verdict])).toEqual(
        asked.map((symbol) => [symbol, dead.includes(symbol) ? 'invalid' : 'valid']),
      );
    },
  );

  test.each(recordings.filter((name) => /^(getCrumb|search)/.test(name)))(
    '%s passes our fetch as it came',
    async (name) => {
      const recording = recorded(name);
      const { yahoo } = await started({ recordings: [recording] });
      const host = name.startsWith('getCrumb-quote') ? 'finance' : 'query2.finance';
      const fetch = yahooFetch({
        clock: systemClock,
        gate: providerGate({ clock: systemClock }),
        baseUrl: yahoo.url,
      });
      const response = await fetch(`https://${host}.yahoo.com${recording.path}`);
      expect(response.status).toBe(recording.status);
      expect(response.headers.get('location')).toBe(recording.headers?.location ?? null);
      expect(await response.text()).toBe(recording.bodyText ?? JSON.stringify(recording.bodyJson));
    },
  );

  test.each(shapes.map((shape) => [shape.what, shape] as const))(
    'the shape "%s" is judged, and never trips us',
    (_, {
      path = '/v8/finance/chart/AAPL',
      host = 'query2.finance.yahoo.com',
      status,
      headers,
      bodyJson,
      bodyText,
    }) => {
      const url = new URL(path, `https://${host}`);
      const body = bodyText ?? JSON.stringify(bodyJson ?? null);
      const retryAfter = headers?.['retry-after'] ?? null;
      const problem = judgeAnswer({ url, status, retryAfter, body }, { now: 0, throttleMs: 60_000 });
      const codes: Record<number, string | undefined> = {
        400: 'no_price_data',
        401: 'provider_unavailable',
        429: 'provider_throttled',
        404: url.pathname.includes('/chart/') ? 'symbol_not_found' : 'provider_unavailable',
      };
      const expected =
        bodyJson === undefined && bodyText === undefined ? 'provider_unavailable' : codes[status];
      expect(problem?.code).toBe(expected);
    },
  );

  test('a year of MSFT with its dividends', async () => {
    const provider = await replayed([
      recorded('historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv'),
    ]);
    const range = { from: '2021-02-01', to: '2022-01-31' };
    const { bars, actions, instrument } = await provider.history({ symbol: 'MSFT', ...range });
    expect(instrument).toEqual({
      symbol: 'MSFT',
      name: 'Microsoft Corporation',
      type: 'EQUITY',
      currency: 'USD',
      exchange: 'NMS',
      timeZone: 'America/New_York',
      sessionEnd: '16:00',
    });
    expect(bars).toHaveLength(252);
    expect(bars[0]).toMatchObject({ date: '2021-02-01', close: '239.65' });
    expect(bars.at(-1)?.date).toBe('2022-01-28');
    expect(bars.every(({ close }) => /^\d{3}(\.\d{1,6})?$/.test(close))).toBe(true);
    expect(actions).toEqual([
      { date: '2021-02-17', kind: 'dividend', amount: '0.56' },
      { date: '2021-05-19', kind: 'dividend', amount: '0.56' },
      { date: '2021-08-18', kind: 'dividend', amount: '0.56' },
      { date: '2021-11-17', kind: 'dividend', amount: '0.62' },
    ]);
  });

  test('a year of NVDA with its split, whose prices are adjusted for it', async () => {
    const provider = await replayed([
      recorded('historical-via-chart-NVDA-split-2021-02-01-to-2022-01-31.csv'),
    ]);
    const { bars, actions } = await provider.history({
      symbol: 'NVDA',
      from: '2021-02-01',
      to: '2022-01-31',
    });
    expect(actions).toEqual([{ date: '2021-07-20', kind: 'split', numerator: 4, denominator: 1 }]);
    expect(Number(bars.find(({ date }) => date === '2021-07-20')?.close)).toBeCloseTo(18.61, 2);
  });

  test('three days of bitcoin and of a currency pair, dated where they trade', async () => {
    const provider = await replayed([
      recorded('chart-BTC-USD-2020-01-01-to-2020-01-03'),
      recorded('chart-EURUSD=X-2020-01-01-to-2020-01-03'),
    ]);
    const range = { from: '2020-01-01', to: '2020-01-03' };
    const bitcoin = await provider.history({ symbol: 'BTC-USD', ...range });
    expect(bitcoin.instrument).toMatchObject({
      type: 'CRYPTOCURRENCY',
      timeZone: 'UTC',
      sessionEnd: '24:00',
    });
    expect(bitcoin.bars.map(({ date, close }) => [date, close])).toEqual([
      ['2020-01-01', '7200.1743'],
      ['2020-01-02', '6985.47'],
      ['2020-01-03', '7344.8843'],
    ]);
    const euro = await provider.history({ symbol: 'EURUSD=X', ...range });
    expect(euro.instrument).toMatchObject({ type: 'CURRENCY', currency: 'USD', sessionEnd: '24:00' });
    expect(euro.bars.map(({ date, close }) => [date, close])).toEqual([
      ['2020-01-01', '1.1220826'],
      ['2020-01-02', '1.1220826'],
      ['2020-01-03', '1.1171438'],
    ]);
  });

  test('a single day is no price data, and so is a symbol without rows', async () => {
    const provider = await replayed([
      recorded('chart-OCDO.L-2020-01-01-to-2020-01-03'),
      recorded('chart-LUCYW-null-currency'),
    ]);
    const ocado = provider.history({ symbol: 'OCDO.L', from: '2020-01-01', to: '2020-01-03' });
    await expect(ocado).rejects.toMatchObject({ code: 'no_price_data', details: { bars: 1 } });
    const lucyw = provider.history({ symbol: 'LUCYW', from: '2024-01-01', to: '2024-01-02' });
    await expect(lucyw).rejects.toMatchObject({ code: 'no_price_data', details: { bars: 0 } });
  });

  test('quotes of equities, bitcoin and a currency pair are valid', async () => {
    const names = ['quote-OCDO.L', 'quote-BTC-USD', 'quote-EURUSD=X', 'quote-AAPL-BABA'];
    const provider = await replayed(names.map(recorded), undefined, { chartsMax: 0 });
    expect(await provider.lookup(['OCDO.L'])).toEqual([
      {
        symbol: 'OCDO.L',
        verdict: 'valid',
        instrument: {
          symbol: 'OCDO.L',
          name: 'Ocado Group plc',
          type: 'EQUITY',
          currency: 'GBP',
          exchange: 'LSE',
          timeZone: 'Europe/London',
          sessionEnd: '16:30',
        },
      },
    ]);
    expect(await provider.lookup(['BTC-USD'])).toMatchObject([{ instrument: { sessionEnd: '24:00' } }]);
    expect(await provider.lookup(['EURUSD=X'])).toMatchObject([{ instrument: { type: 'CURRENCY' } }]);
    expect(await provider.lookup(['AAPL', 'BABA'])).toMatchObject([
      { symbol: 'AAPL', instrument: { type: 'EQUITY', currency: 'USD' } },
      { symbol: 'BABA', instrument: { type: 'EQUITY', currency: 'USD' } },
    ]);
  });

  test('a delisted and a recycled symbol are doubtful: their charts decide', async () => {
    const provider = await replayed([
      recorded('quote-BRKS'),
      recorded('quote-ADH'),
      gone('BRKS'),
      gone('ADH'),
    ]);
    expect(await provider.lookup(['BRKS'])).toMatchObject([{ verdict: 'invalid' }]);
    expect(await provider.lookup(['ADH'])).toMatchObject([{ verdict: 'invalid' }]);
  });
});
