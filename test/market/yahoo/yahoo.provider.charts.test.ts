import { afterEach, describe, expect, test } from 'vitest';
import { replayed, stopAll } from '../../support/standin-yahoo/fixture.ts';
import { recordedChart } from '../../support/standin-yahoo/recorded-chart.ts';

afterEach(stopAll);

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

  test('Tokyo opens at midnight UTC, and is done before New York is up', async () => {
    const tokyo = recordedChart({
      ...{ symbol: '7203.T', currency: 'JPY', timeZone: 'Asia/Tokyo' },
      opens: ['2025-03-10T00:00Z', '2025-03-11T00:00Z', '2025-03-12T00:00Z'],
      closes: [2700, 2710, 2720],
    });
    for (const [at, last] of [
      ['2025-03-12T06:59:59Z', '2025-03-11'],
      ['2025-03-12T07:00:00Z', '2025-03-12'],
    ] as const) {
      const { bars } = await (await replayed([tokyo], at)).history({ symbol: '7203.T', ...range });
      expect(bars.at(-1)?.date).toBe(last);
    }
  });

  test('of two rows of one date the later one holds, as where Yahoo sends the last session twice', async () => {
    const opens = ['2025-03-10T13:30Z', '2025-03-11T13:30Z', '2025-03-11T20:00Z'];
    const chart = recordedChart({ symbol: 'ACME', opens, closes: [100, 101, 102] });
    const { bars } = await (await replayed([chart], '2025-03-12T12:00:00Z')).history({
      symbol: 'ACME',
      ...range,
    });
    expect(bars.map(({ date, close }) => [date, close])).toEqual([
      ['2025-03-10', '100'],
      ['2025-03-11', '102'],
    ]);
  });

  test.each([0, -3])('a close of %d makes the series unusable, and says where', async (close) => {
    const chart = recordedChart({ ...newYork, closes: [1, 2, close, 3] });
    const provider = await replayed([chart], '2025-03-12T12:00:00Z');
    await expect(provider.history({ symbol: 'ACME', ...range })).rejects.toMatchObject({
      code: 'unusable_data',
      message: expect.stringContaining('on 2025-03-10'),
    });
  });

  test('closes value positions, adjusted closes make returns: each is what Yahoo says it is', async () => {
    const chart = recordedChart({
      ...newYork,
      closes: [100, 100, 99, 99],
      adjusted: [98.5, 98.50000000000001, 99, 99],
      dividends: [{ at: '2025-03-10T13:30Z', amount: 1.5 }],
      splits: [{ at: '2025-03-07T14:30Z', numerator: 3, denominator: 2 }],
    });
    const { bars, actions } = await (await replayed([chart], '2025-03-12T12:00:00Z')).history({
      symbol: 'ACME',
      ...range,
    });
    expect(bars.map(({ close, adjustedClose }) => [close, adjustedClose])).toEqual([
      ['100', 98.5],
      ['100', 98.50000000000001],
      ['99', 99],
      ['99', 99],
    ]);
    expect(actions).toEqual([
      { date: '2025-03-07', kind: 'split', numerator: 3, denominator: 2 },
      { date: '2025-03-10', kind: 'dividend', amount: '1.5' },
    ]);
  });

  test('splits and dividends reach back as far as they are wanted, in one request, bars do not', async () => {
    const chart = recordedChart({
      ...newYork,
      closes: [4, 4, 4, 4],
      splits: [{ at: '2025-03-06T14:30Z', numerator: 2, denominator: 1 }],
    });
    const provider = await replayed([chart], '2025-03-12T12:00:00Z');
    const late = { symbol: 'ACME', from: '2025-03-07', to: '2025-03-12' };
    expect((await provider.history(late)).actions).toEqual([]);
    const { bars, actions } = await provider.history({ ...late, actionsFrom: '2025-03-01' });
    expect([bars[0]?.date, actions.length]).toEqual(['2025-03-07', 1]);
  });

  test('one that began yesterday is no price data until it has traded twice', async () => {
    const opens = ['2025-03-11T13:30Z', '2025-03-12T13:30Z'];
    const chart = recordedChart({ symbol: 'FRESH', opens, closes: [20, 21] });
    const request = { symbol: 'FRESH', ...range };
    const yesterday = await replayed([chart], '2025-03-12T14:00:00Z');
    expect(await yesterday.lookup(['FRESH'])).toMatchObject([{ verdict: 'valid' }]);
    await expect(yesterday.history(request)).rejects.toMatchObject({
      code: 'no_price_data',
      details: { bars: 1 },
    });
    const today = await replayed([chart], '2025-03-12T20:30:00Z');
    expect((await today.history(request)).bars).toHaveLength(2);
  });

  test.each([
    ['GBp', 'GBP', '0.705', 'Europe/London'],
    ['ZAc', 'ZAR', '0.705', 'Africa/Johannesburg'],
    ['ILA', 'ILS', '0.705', 'Asia/Jerusalem'],
    ['GBP', 'GBP', '70.5', 'Europe/London'],
  ])('a quote of 70.5 %s is a price in %s', async (currency, major, close, timeZone) => {
    const opens = ['2025-03-10T08:00Z', '2025-03-11T08:00Z'];
    const chart = recordedChart({ symbol: 'MINOR', currency, timeZone, opens, closes: [70.5, 70.5] });
    const { bars, instrument } = await (await replayed([chart], '2025-03-12T23:00:00Z')).history({
      symbol: 'MINOR',
      ...range,
    });
    expect([instrument.currency, bars[0]?.close, bars[0]?.adjustedClose]).toEqual([
      major,
      close,
      Number(close),
    ]);
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

  test.each([null, 'USDT'])('a currency that is %s to Yahoo stays unknown', async (currency) => {
    const provider = await replayed(
      [
        recordedChart({ ...newYork, currency }),
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
