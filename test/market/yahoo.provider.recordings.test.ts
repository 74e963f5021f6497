import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { providerGate } from '../../src/market/gate.client.ts';
import { type YahooProviderOptions, yahooProvider } from '../../src/market/yahoo.provider.ts';
import { recordedChart } from '../support/standin-yahoo/recorded-chart.ts';
import { type Recording, type StandinYahoo, startStandinYahoo } from '../support/standin-yahoo/server.ts';

const folder = new URL('../../../shared/data/yahoo/', import.meta.url);
const running: StandinYahoo[] = [];

/** The provider, as of an instant, in front of a server that answers as recorded. */
async function replayed(
  recordings: Recording[],
  at = '2025-02-25T00:00:00Z',
  more: Partial<YahooProviderOptions> = {},
) {
  const yahoo = await startStandinYahoo({ recordings, now: () => Date.parse(at) });
  running.push(yahoo);
  const clock = {
    now: () => Date.parse(at),
    sleepUntil: (_: number, signal?: AbortSignal) =>
      new Promise<void>((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  return yahooProvider({ clock, gate: providerGate({ clock }), baseUrl: yahoo.url, ...more });
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((yahoo) => yahoo.close()));
});

describe.skipIf(!existsSync(folder))('recordings of Yahoo (reads data outside the repository)', () => {
  const recorded = (name: string): Recording =>
    JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));

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
    const gone = { status: 404, bodyJson: { chart: { result: null, error: { code: 'Not Found' } } } };
    const provider = await replayed([
      recorded('quote-BRKS'),
      recorded('quote-ADH'),
      { path: '/v8/finance/chart/BRKS', ...gone },
      { path: '/v8/finance/chart/ADH', ...gone },
    ]);
    expect(await provider.lookup(['BRKS'])).toMatchObject([{ verdict: 'invalid' }]);
    expect(await provider.lookup(['ADH'])).toMatchObject([{ verdict: 'invalid' }]);
  });
});

describe('charts of the recorded shapes', () => {
  const range = { from: '2025-03-03', to: '2025-03-12' };
  // The clocks of New York change on Sunday 2025-03-09: openings move from 14:30Z to 13:30Z.
  const newYork = {
    symbol: 'ACME',
    opens: ['2025-03-06T14:30Z', '2025-03-07T14:30Z', '2025-03-10T13:30Z', '2025-03-11T13:30Z'],
    closes: [239.64999389648438, 240.1, null, 18.610000610351562],
  };

  test('dates survive a change of the clocks; a day without a close is left out', async () => {
    const provider = await replayed([recordedChart(newYork)], '2025-03-12T12:00:00Z');
    const { bars } = await provider.history({ symbol: 'ACME', ...range });
    expect(bars.map(({ date, close }) => [date, close])).toEqual([
      ['2025-03-06', '239.65'],
      ['2025-03-07', '240.1'],
      ['2025-03-11', '18.61'],
    ]);
  });

  test.each([
    ['2025-03-12T19:00:00Z', ['2025-03-10', '2025-03-11']],
    ['2025-03-12T20:29:59Z', ['2025-03-10', '2025-03-11']],
    ['2025-03-12T20:30:00Z', ['2025-03-10', '2025-03-11', '2025-03-12']],
  ])('the live row of the running session is no bar at %s', async (at, expected) => {
    const opens = ['2025-03-10T13:30Z', '2025-03-11T13:30Z', '2025-03-12T18:59:30Z'];
    const chart = recordedChart({ symbol: 'ACME', opens, closes: [100, 101, 102] });
    const { bars } = await (await replayed([chart], at)).history({ symbol: 'ACME', ...range });
    expect(bars.map(({ date }) => date)).toEqual(expected);
  });

  test('a session that closes early does not move the end of the others', async () => {
    // 2025-07-03: New York closes at 13:00. The running session of the 7th is not over at 13:30.
    const period = { start: '2025-07-03T13:30Z', end: '2025-07-03T17:00Z' };
    const opens = ['2025-07-02T13:30Z', '2025-07-03T13:30Z', '2025-07-07T13:30Z'];
    const chart = recordedChart({ symbol: 'ACME', opens, closes: [100, 101, 102], period });
    const provider = await replayed([chart], '2025-07-07T17:31:00Z');
    const { bars, instrument } = await provider.history({
      symbol: 'ACME',
      from: '2025-07-01',
      to: '2025-07-07',
    });
    expect(instrument.sessionEnd).toBe('16:00');
    expect(bars.map(({ date }) => date)).toEqual(['2025-07-02', '2025-07-03']);
  });

  test('Sydney opens at 23:00 UTC of the day before', async () => {
    const opens = ['2025-01-14T23:00Z', '2025-01-15T23:00Z'];
    const sydney = {
      symbol: 'BHP.AX',
      opens,
      closes: [40, 41],
      currency: 'AUD',
      timeZone: 'Australia/Sydney',
    };
    const provider = await replayed([recordedChart(sydney)], '2025-01-17T12:00:00Z');
    const { bars } = await provider.history({ symbol: 'BHP.AX', from: '2025-01-01', to: '2025-01-17' });
    expect(bars.map(({ date }) => date)).toEqual(['2025-01-15', '2025-01-16']);
  });

  test('pence become pounds in bars and dividends alike', async () => {
    const chart = recordedChart({
      symbol: 'VOD.L',
      currency: 'GBp',
      timeZone: 'Europe/London',
      opens: ['2025-03-10T08:00Z', '2025-03-11T08:00Z'],
      closes: [70.5, 71.25],
      dividends: [{ at: '2025-03-11T08:00Z', amount: 1.9033 }],
    });
    const provider = await replayed([chart], '2025-03-12T12:00:00Z');
    const { bars, actions, instrument } = await provider.history({ symbol: 'VOD.L', ...range });
    expect(instrument.currency).toBe('GBP');
    expect(bars.map(({ close, adjustedClose }) => [close, adjustedClose])).toEqual([
      ['0.705', 0.705],
      ['0.7125', 0.7125],
    ]);
    expect(actions).toEqual([{ date: '2025-03-11', kind: 'dividend', amount: '0.019033' }]);
  });

  test('a currency that Yahoo does not tell stays unknown', async () => {
    const provider = await replayed(
      [
        recordedChart({ ...newYork, currency: null }),
        {
          path: '/v7/finance/quote?symbols=ACME',
          status: 200,
          bodyJson: { quoteResponse: { result: [], error: null } },
        },
      ],
      '2025-03-12T12:00:00Z',
    );
    expect((await provider.history({ symbol: 'ACME', ...range })).instrument.currency).toBeNull();
    expect(await provider.lookup(['ACME'])).toMatchObject([
      { verdict: 'valid', instrument: { currency: null } },
    ]);
  });

  test('an instrument of a kind that we do not know is unusable', async () => {
    const chart = recordedChart({ ...newYork, type: 'ECNQUOTE' });
    const provider = await replayed([chart], '2025-03-12T12:00:00Z');
    await expect(provider.history({ symbol: 'ACME', ...range })).rejects.toMatchObject({
      code: 'unusable_data',
      message: expect.stringContaining('got: ECNQUOTE'),
    });
  });

  test('columns of different lengths are an outage, not half a series', async () => {
    const chart = recordedChart({ ...newYork, closes: [1, 2] });
    const provider = await replayed([chart], '2025-03-12T12:00:00Z');
    await expect(provider.history({ symbol: 'ACME', ...range })).rejects.toMatchObject({
      code: 'provider_unavailable',
      retryable: true,
    });
  });

  test('a series that ended long ago is delisted, judged by New York’s own dates when they are known', async () => {
    const ended = recordedChart({ ...newYork, closes: [1, 2, 3, 4] });
    const provider = await replayed([ended], '2025-05-01T12:00:00Z');
    const request = { symbol: 'ACME', from: '2024-05-01', to: '2025-04-30' };
    await expect(provider.history(request)).rejects.toMatchObject({
      code: 'delisted',
      message: 'ACME is no longer traded: its last close was 4 USD on 2025-03-11',
    });
    const calendar = () => ['2025-03-11', '2025-04-29', '2025-04-30'];
    const informed = await replayed([ended], '2025-05-01T12:00:00Z', { calendar });
    expect((await informed.history(request)).bars).toHaveLength(4);
  });
});
