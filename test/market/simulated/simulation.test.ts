import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { proxies } from '../../../src/market/proxy-set.ts';
import { standardNormal } from '../../../src/market/simulated/random-draws.ts';
import { simulatedListing } from '../../../src/market/simulated/simulated-listings.ts';
import {
  simulatedActions,
  simulatedBars,
  simulatedCloses,
  simulatedModel,
  simulatedProxies,
} from '../../../src/market/simulated/simulation.ts';
import { numRuns, weekdays } from '../../support/series.ts';

const session = '2026-07-31';
const seed = 1;

describe('the simulated market', () => {
  test('never changes: prices of known seeds and dates', () => {
    const day = { from: '2026-07-31', session };
    expect(simulatedBars({ seed, symbol: 'AAPL', ...day })).toEqual([
      {
        date: '2026-07-31',
        open: '173.1290',
        high: '173.9093',
        low: '171.0819',
        close: '172.7195',
        adjustedClose: 172.71952693401806,
        volume: '2098962',
      },
    ]);
    expect(simulatedCloses({ seed, symbol: 'SPY', ...day }).closes[0]).toBe(206.86731768420913);
    expect(simulatedCloses({ seed: 2, symbol: 'AAPL', ...day }).closes[0]).not.toBeCloseTo(172.7195, 1);
  });

  test('gives the same bars on every date that two requests share', () => {
    const all = new Map(simulatedBars({ seed, symbol: 'MSFT', session }).map((bar) => [bar.date, bar]));
    const dates = [...all.keys()];
    fc.assert(
      fc.property(fc.nat(dates.length - 1), fc.nat(dates.length - 1), (a, b) => {
        const [from, to] = [dates[Math.min(a, b)]!, dates[Math.max(a, b)]!];
        const bars = simulatedBars({ seed, symbol: 'MSFT', from, to, session: to });
        expect(bars.map(({ date }) => date)).toEqual(dates.slice(Math.min(a, b), Math.max(a, b) + 1));
        for (const bar of bars) expect(bar).toEqual(all.get(bar.date));
      }),
      { numRuns: Math.min(numRuns, 300) },
    );
  });

  test('opens on the weekdays from 2024-01-01 up to the session, whatever is asked for', () => {
    const { dates } = simulatedCloses({
      seed,
      symbol: 'AAPL',
      from: '1999-01-01',
      to: '2099-01-01',
      session,
    });
    expect(dates).toEqual(weekdays(675, '2024-01-01'));
    expect(dates.at(-1)).toBe(session);
    expect(simulatedCloses({ seed, symbol: 'AAPL', to: '2023-12-29', session }).dates).toEqual([]);
    expect(simulatedCloses({ seed, symbol: 'AAPL', from: '2026-08-01', session }).dates).toEqual([]);
  });

  test('trades crypto every day, with no factor at weekends', () => {
    const request = { seed, symbol: 'BTC-USD', from: '2026-07-31', session: '2026-08-03' };
    expect(simulatedCloses(request).dates).toEqual(['2026-07-31', '2026-08-01', '2026-08-02', '2026-08-03']);
    const model = { ...simulatedModel({ seed, symbol: 'BTC-USD' }), sigma: 0 };
    const [friday, saturday, sunday, monday] = simulatedCloses({ ...request, model }).closes;
    expect(saturday! / friday! - 1).toBeCloseTo(0.0003, 12);
    expect(sunday! / saturday! - 1).toBeCloseTo(0.0003, 12);
    expect(Math.abs(monday! / sunday! - 1.0003)).toBeGreaterThan(1e-6);
  });

  test('has bars that make sense: low <= open, close <= high, 4 decimals, the close rounded from the double', () => {
    for (const symbol of ['AAPL', 'VOD.L', 'BTC-USD', 'SPY', 'FLAT', 'SPLIT']) {
      for (const { open, high, low, close, adjustedClose, volume } of simulatedBars({
        seed,
        symbol,
        session,
      })) {
        expect(Number(low)).toBeLessThanOrEqual(Math.min(Number(open), Number(close)));
        expect(Number(high)).toBeGreaterThanOrEqual(Math.max(Number(open), Number(close)));
        expect(Number(low)).toBeGreaterThan(0);
        expect(close).toBe(adjustedClose.toFixed(4));
        expect(volume).toMatch(/^[1-9]\d{5,6}$/);
      }
    }
  });

  test('draws N(0,1): mean, variance and tails of 10,000 draws', () => {
    const draws = Array.from({ length: 10_000 }, (_, i) => standardNormal(seed, 'test', String(i)));
    const mean = draws.reduce((sum, z) => sum + z, 0) / draws.length;
    const variance = draws.reduce((sum, z) => sum + (z - mean) ** 2, 0) / draws.length;
    expect(Math.abs(mean)).toBeLessThan(0.04); // 4 standard errors
    expect(Math.abs(variance - 1)).toBeLessThan(0.06);
    const beyond = draws.filter((z) => Math.abs(z) > 1.959964).length;
    expect(Math.abs(beyond - 500)).toBeLessThan(90);
  });

  test('draws every symbol model within its bounds, and differently for another seed', () => {
    for (let i = 0; i < 200; i += 1) {
      const { coefficients, sigma, drift } = simulatedModel({ seed, symbol: `S${i}` });
      for (const proxy of proxies) {
        const [low, high] = { SPY: [0.2, 1.2], TLT: [-0.2, 0.2] }[proxy as string] ?? [-0.4, 0.4];
        expect(coefficients[proxy]).toBeGreaterThanOrEqual(low!);
        expect(coefficients[proxy]).toBeLessThanOrEqual(high!);
      }
      expect(sigma).toBeGreaterThanOrEqual(0.008);
      expect(sigma).toBeLessThanOrEqual(0.025);
      expect(drift).toBe(0.0003);
    }
    expect(simulatedModel({ seed: 2, symbol: 'S0' })).not.toEqual(simulatedModel({ seed, symbol: 'S0' }));
  });

  test('builds all eight proxies on one calendar', () => {
    const { version, closes } = simulatedProxies({ seed, session });
    expect(version).toBe(session);
    for (const proxy of proxies) expect(closes[proxy].dates).toEqual(weekdays(675, '2024-01-01'));
  });
});

describe('names with a meaning in the simulated market', () => {
  test.each([0, 1, 2, 13, 200])('NEW%i has as many bars, the last one on the session', (count) => {
    const { dates } = simulatedCloses({ seed, symbol: `NEW${count}`, session });
    expect(dates).toHaveLength(count);
    if (count > 0) expect(dates.at(-1)).toBe(session);
  });

  test('NEW13 asked for in another range has the same bars, as many as lie in it', () => {
    const { dates } = simulatedCloses({
      seed,
      symbol: 'NEW13',
      from: '2026-07-20',
      to: '2026-07-24',
      session,
    });
    expect(dates).toEqual(['2026-07-20', '2026-07-21', '2026-07-22', '2026-07-23', '2026-07-24']);
    expect(simulatedCloses({ seed, symbol: 'NEW3-USD', session: '2026-08-02' }).dates).toHaveLength(3);
    expect(simulatedCloses({ seed, symbol: 'NEW99999', session }).dates).toHaveLength(675);
  });

  test('FLAT never moves', () => {
    expect(
      new Set(simulatedBars({ seed, symbol: 'FLAT', session }).flatMap((b) => [b.open, b.low, b.high])).size,
    ).toBe(1);
  });

  test('SPLIT was split 10 for 1 a hundred weekdays before the session, and shows it in its actions alone', () => {
    const split = { date: '2026-03-13', kind: 'split', numerator: 10, denominator: 1 };
    expect(simulatedActions({ seed, symbol: 'SPLIT', session })).toEqual([split]);
    const since = weekdays(105, '2026-03-09').slice(4);
    expect([since[0], since[100]]).toEqual([split.date, session]);
    expect(simulatedActions({ seed, symbol: 'SPLIT', from: '2026-03-14', session })).toEqual([]);
    expect(simulatedActions({ seed, symbol: 'SPLIT', to: '2026-03-12', session })).toEqual([]);
    expect(simulatedActions({ seed, symbol: 'AAPL', session })).toEqual([]);
    expect(simulatedActions({ seed, symbol: 'SPLIT', session: '2024-03-01' })).toEqual([]);
    const { closes } = simulatedCloses({ seed, symbol: 'SPLIT', session });
    for (const [i, close] of closes.slice(1).entries())
      expect(Math.abs(close / closes[i]! - 1)).toBeLessThan(0.5);
  });

  test('NOPE and what begins with it does not exist', () => {
    expect(simulatedListing('NOPE')).toBeNull();
    expect(simulatedListing('NOPE7.L')).toBeNull();
    expect(simulatedBars({ seed, symbol: 'NOPE', session })).toEqual([]);
  });

  test.each([
    ['AAPL', 'EQUITY', 'USD', 'USD', 'America/New_York', '16:00'],
    ['SPY', 'ETF', 'USD', 'USD', 'America/New_York', '16:00'],
    ['VOD.L', 'EQUITY', 'GBP', 'GBp', 'Europe/London', '16:30'],
    ['SAP.DE', 'EQUITY', 'EUR', 'EUR', 'Europe/Berlin', '17:30'],
    ['7203.T', 'EQUITY', 'JPY', 'JPY', 'Asia/Tokyo', '15:30'],
    ['BTC-USD', 'CRYPTOCURRENCY', 'USD', 'USD', 'UTC', '24:00'],
    ['EURUSD=X', 'CURRENCY', 'USD', 'USD', 'Europe/London', '24:00'],
    ['GBPJPY=X', 'CURRENCY', 'JPY', 'JPY', 'Europe/London', '24:00'],
    ['GC=F', 'FUTURE', 'USD', 'USD', 'America/New_York', '16:00'],
    ['^GSPC', 'INDEX', 'USD', 'USD', 'America/New_York', '16:00'],
    ['GOOGL250321C00200000', 'OPTION', 'USD', 'USD', 'America/New_York', '16:00'],
  ])('%s is listed as %s in %s, quoted in %s', (symbol, type, currency, quoteUnit, timeZone, sessionEnd) => {
    const listing = simulatedListing(symbol)!;
    expect(listing.instrument).toMatchObject({ symbol, type, currency, timeZone, sessionEnd });
    expect(listing.quoteUnit).toBe(quoteUnit);
  });
});
