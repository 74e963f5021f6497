import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { AppError } from '../../../src/kernel/errors.ts';
import { systemClock } from '../../../src/kernel/system.clock.ts';
import { providerGate } from '../../../src/market/provider-gate.client.ts';
import { yahooFetch } from '../../../src/market/yahoo/yahoo.fetch.ts';
import { judgeAnswer } from '../../../src/market/yahoo/yahoo-answers.ts';
import { fixtureJson } from '../../support/fixtures.ts';
import { replayed, started, stopAll } from '../../support/standin-yahoo/fixture.ts';
import type { Recording } from '../../support/standin-yahoo/server.ts';

afterEach(stopAll);

/** No chart of a symbol. */
const gone = (symbol: string): Recording => ({
  path: `/v8/finance/chart/${symbol}`,
  status: 404,
  bodyJson: { chart: { result: null, error: { code: 'Not Found' } } },
});

interface Shape {
  what: string;
  host: string;
  path: string;
  status: number;
  body: unknown;
  /** The code that the answer is judged with, or null where it is usable. */
  problem: string | null;
}

const answer = (name: string) => fixtureJson<Recording & { host: string }>(`yahoo/${name}.json`);
const names = (pattern: RegExp): string[] => {
  const files = readdirSync(new URL('../../fixtures/yahoo/', import.meta.url)).sort();
  return files.filter((file) => pattern.test(file)).map((file) => file.slice(0, -'.json'.length));
};

describe('invented answers in the shapes of Yahoo', () => {
  test.each(names(/^chart-/))('%s becomes bars of its range, or no price data', async (name) => {
    const recording = answer(name);
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
    expect(bars.every(({ date, close }) => date >= range.from && date <= range.to && Number(close) > 0)).toBe(
      true,
    );
    expect(await provider.lookup([symbol])).toMatchObject([{ verdict: 'valid', instrument: { symbol } }]);
  });

  test.each(names(/^quote-/))(
    '%s vouches for what it knows, and leaves the rest to the charts',
    async (name) => {
      const recording = answer(name);
      const asked = new URL(recording.path, 'https://x').searchParams.get('symbols')!.split(',');
      const provider = await replayed([recording, ...asked.map(gone)], undefined, { chartsMax: 0 });
      const dead = ['GONE', 'REUSED', 'NEVER']; // delisted, recycled, never there
      const verdicts = await provider.lookup(asked);
      expect(verdicts.map(({ symbol, verdict }) => [symbol, verdict])).toEqual(
        asked.map((symbol) => [symbol, dead.includes(symbol) ? 'invalid' : 'valid']),
      );
    },
  );

  test.each(names(/^(crumb|consent|search)/))('%s passes our fetch unchanged', async (name) => {
    const recording = answer(name);
    const { yahoo } = await started({ recordings: [recording] });
    const fetch = yahooFetch({
      clock: systemClock,
      gate: providerGate({ clock: systemClock }),
      baseUrl: yahoo.url,
    });
    const response = await fetch(`https://${recording.host}${recording.path}`);
    expect(response.status).toBe(recording.status);
    expect(response.headers.get('location')).toBe(recording.headers?.location ?? null);
    expect(await response.text()).toBe(recording.bodyText ?? JSON.stringify(recording.bodyJson));
  });

  test.each(fixtureJson<Shape[]>('yahoo/shapes.json'))(
    'the shape "$what" is judged, and never trips us',
    ({ host, path, status, body, problem }) => {
      const url = new URL(path, `https://${host}`);
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const judged = judgeAnswer(
        { url, status, retryAfter: null, body: text },
        { now: 0, throttleMs: 60_000 },
      );
      expect(judged?.code ?? null).toBe(problem);
    },
  );

  test('a quarter with its dividends, over the change to summer time', async () => {
    const provider = await replayed([answer('chart-dividends')]);
    const range = { from: '2024-02-01', to: '2024-05-31' };
    const { bars, actions, instrument } = await provider.history({ symbol: 'DIVD', ...range });
    expect(instrument).toEqual({
      symbol: 'DIVD',
      name: 'Dividend Software Corporation',
      type: 'EQUITY',
      currency: 'USD',
      exchange: 'NMS',
      timeZone: 'America/New_York',
      sessionEnd: '16:00',
    });
    expect(bars).toHaveLength(84);
    expect(bars[0]).toMatchObject({ date: '2024-02-01', close: '150.15' });
    expect(bars.at(-1)?.date).toBe('2024-05-31');
    expect(bars.every(({ close }) => /^\d{3}(\.\d{1,2})?$/.test(close))).toBe(true);
    expect(actions).toEqual([
      { date: '2024-02-21', kind: 'dividend', amount: '0.41' },
      { date: '2024-05-15', kind: 'dividend', amount: '0.455' },
    ]);
  });

  test('weeks with a split, whose prices are adjusted for it', async () => {
    const provider = await replayed([answer('chart-split')]);
    const { bars, actions } = await provider.history({
      symbol: 'SPLT',
      from: '2024-07-01',
      to: '2024-08-16',
    });
    expect(actions).toEqual([{ date: '2024-07-23', kind: 'split', numerator: 3, denominator: 2 }]);
    expect(bars.find(({ date }) => date === '2024-07-23')?.close).toBe('36.15');
  });

  test('three days of bitcoin and of a currency pair, dated where they trade', async () => {
    const provider = await replayed([answer('chart-cryptocurrency'), answer('chart-currency-pair')]);
    const range = { from: '2020-01-01', to: '2020-01-03' };
    const bitcoin = await provider.history({ symbol: 'BTC-USD', ...range });
    expect(bitcoin.instrument).toMatchObject({
      type: 'CRYPTOCURRENCY',
      timeZone: 'UTC',
      sessionEnd: '24:00',
    });
    expect(bitcoin.bars.map(({ date, close }) => [date, close])).toEqual([
      ['2020-01-01', '4056.789'],
      ['2020-01-02', '3911.111'],
      ['2020-01-03', '4188.0205'],
    ]);
    const euro = await provider.history({ symbol: 'EURUSD=X', ...range });
    expect(euro.instrument).toMatchObject({ type: 'CURRENCY', currency: 'USD', sessionEnd: '24:00' });
    expect(euro.bars.map(({ date, close }) => [date, close])).toEqual([
      ['2020-01-01', '1.2345679'],
      ['2020-01-02', '1.2345679'],
      ['2020-01-03', '1.2288777'],
    ]);
  });

  test('a single day is no price data, and so is a symbol without rows', async () => {
    const provider = await replayed([answer('chart-pence-single-day'), answer('chart-null-currency')]);
    const single = provider.history({ symbol: 'GROC.L', from: '2020-01-01', to: '2020-01-03' });
    await expect(single).rejects.toMatchObject({ code: 'no_price_data', details: { bars: 1 } });
    const none = provider.history({ symbol: 'NULLW', from: '2024-01-01', to: '2024-01-02' });
    await expect(none).rejects.toMatchObject({ code: 'no_price_data', details: { bars: 0 } });
  });

  test('quotes of equities, bitcoin and a currency pair are valid', async () => {
    const quotes = ['quote-pence', 'quote-cryptocurrency', 'quote-currency-pair', 'quote-two-equities'];
    const provider = await replayed(quotes.map(answer), undefined, { chartsMax: 0 });
    expect(await provider.lookup(['GROC.L'])).toEqual([
      {
        symbol: 'GROC.L',
        verdict: 'valid',
        instrument: {
          symbol: 'GROC.L',
          name: 'Invented Grocers plc',
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
    expect(await provider.lookup(['EXMP', 'FRGN'])).toMatchObject([
      { symbol: 'EXMP', instrument: { type: 'EQUITY', currency: 'USD' } },
      { symbol: 'FRGN', instrument: { type: 'EQUITY', currency: 'USD' } },
    ]);
  });

  test('a delisted and a recycled symbol are doubtful: their charts decide', async () => {
    const quotes = ['quote-delisted', 'quote-recycled'].map(answer);
    const provider = await replayed([...quotes, gone('GONE'), gone('REUSED')]);
    expect(await provider.lookup(['GONE'])).toMatchObject([{ verdict: 'invalid' }]);
    expect(await provider.lookup(['REUSED'])).toMatchObject([{ verdict: 'invalid' }]);
  });
});
