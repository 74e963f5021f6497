import { afterEach, expect, test } from 'vitest';
import { jobTrace } from '../../../src/onboarding/job/transition-trace.ts';
import { observeProvider, traced } from '../../../src/trace-context.ts';
import { started, stopAll, year } from '../../support/standin-yahoo/fixture.ts';

afterEach(stopAll);

test('each request is noted for the job that asked, though all wait for one place', async () => {
  const faults = [{ match: '/chart/MSFT', kind: '500' }] as const;
  const { provider } = await started({ faults }, { concurrency: 1, observe: observeProvider });
  const traces = { AAPL: jobTrace(), MSFT: jobTrace() };
  const stop = AbortSignal.abort(new Error('cancelled'));
  await Promise.allSettled([
    ...Object.entries(traces).map(([symbol, trace]) =>
      traced(trace, () => provider.history({ symbol, ...year })),
    ),
    provider.history({ symbol: 'AAPL', ...year, signal: stop }), // nobody's
  ]);
  const { requests: aapl } = traces.AAPL.take();
  expect(aapl).toEqual([
    {
      provider: 'yahoo',
      url: expect.stringMatching(
        /^https:\/\/query\d\.finance\.yahoo\.com\/v8\/finance\/chart\/AAPL\?.*interval=1d/,
      ),
      status: 200,
      result: 'ok',
      durationMs: expect.any(Number),
      bytes: expect.any(Number),
      at: expect.any(Number),
    },
  ]);
  expect(aapl![0]!.bytes).toBeGreaterThan(1000);
  const { requests: msft } = traces.MSFT.take();
  expect(msft).toMatchObject([{ status: 500, result: 'provider_unavailable' }]);
});

test('what the crumb is stands in no note', async () => {
  const { provider } = await started({}, { chartsMax: 0, observe: observeProvider });
  const trace = jobTrace();
  await traced(trace, () => provider.lookup(['AAPL']));
  const { requests } = trace.take();
  const quote = requests?.find(({ url }) => url.includes('/finance/quote?'));
  expect(quote?.url).toContain('symbols=AAPL');
  expect(quote?.url).toContain('crumb=***');
});
