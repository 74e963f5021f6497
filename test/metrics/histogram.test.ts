import fc from 'fast-check';
import { Histogram, type Metric, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { histogram } from '../../src/metrics/histogram.ts';
import { numRuns } from '../support/series.ts';

const options = {
  name: 'taken_seconds',
  help: 'Seconds taken.',
  labelNames: ['route', 'status'],
  buckets: [0.1, 1, 10],
};

test("writes what prom-client's own histogram would write", async () => {
  const observations = fc.array(
    fc.record({
      route: fc.constantFrom('/a', '/b'),
      status: fc.constantFrom('200', '404'),
      value: fc.constantFrom(0, 0.05, 0.1, 0.5, 1, 7, 10, 99),
    }),
  );
  await fc.assert(
    fc.asyncProperty(observations, async (all) => {
      const [ours, theirs] = [new Registry(), new Registry()];
      const own = histogram(options);
      ours.registerMetric(own as unknown as Metric);
      const other = new Histogram({ ...options, registers: [theirs] });
      for (const { value, ...labels } of all) {
        own.observe(labels, value);
        other.observe(labels, value);
      }
      expect(await ours.metrics()).toBe(await theirs.metrics());
    }),
    { numRuns, seed: 5 },
  );
});
