import { expect, test } from 'vitest';
import { keptCharts } from '../../../src/market/yahoo/kept-charts.ts';
import type { YahooChart } from '../../../src/market/yahoo/yahoo-chart.ts';
import { TestClock } from '../../support/clock.ts';

const range = { from: '2025-07-24', to: '2026-07-31' };
const chartOf = (rows: number): YahooChart => ({
  meta: { symbol: 'AAPL', instrumentType: 'EQUITY', exchangeTimezoneName: 'America/New_York' },
  timestamp: Array.from({ length: rows }, () => 0),
  indicators: { quote: [{}] },
});
// Friday, after New York's session.
const kept = () => {
  const clock = new TestClock('2026-07-31T22:00:00Z');
  return { clock, charts: keptCharts(clock) };
};

test('a chart is handed out once, with the moment at which it came', async () => {
  const { clock, charts } = kept();
  const chart = chartOf(250);
  charts.keep('AAPL', { chart, range });
  await clock.advance(60_000);
  expect(charts.take('AAPL', { from: '2025-07-31', to: '2026-07-31' })).toEqual({
    chart,
    at: clock.now() - 60_000,
  });
  expect(charts.take('AAPL', range)).toBeNull();
});

test.each([
  ['begins too late', { from: '2025-07-23', to: '2026-07-31' }, 0],
  ['ends too early', { from: '2025-07-31', to: '2026-08-01' }, 0],
  ['is older than five minutes', range, 300_001],
])('a chart that %s is not handed out', async (_, wanted, passedMs) => {
  const { clock, charts } = kept();
  charts.keep('AAPL', { chart: chartOf(250), range });
  await clock.advance(passedMs);
  expect(charts.take('AAPL', wanted)).toBeNull();
});

test('there is an end to what is kept: the oldest gives way', () => {
  const { charts } = kept();
  const years = 40 * 250;
  for (let n = 0; n < 21; n += 1) charts.keep(`S${n}`, { chart: chartOf(years), range });
  expect(charts.take('S0', range)).toBeNull();
  expect(charts.take('S20', range)).not.toBeNull();
});
