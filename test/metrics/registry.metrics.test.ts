import { describe, expect, test } from 'vitest';
import { type MetricEntry, metricCatalog } from '../../src/metrics/metric-catalog.ts';
import { createMetrics } from '../../src/metrics/registry.metrics.ts';
import { parseMetrics, sampleOf } from '../support/prometheus.ts';

const own: [string, MetricEntry][] = Object.entries(metricCatalog);

describe('the metrics', () => {
  test('all have a type and a help text, named as Prometheus asks', async () => {
    const families = parseMetrics(await createMetrics().text());
    for (const [name, { type, help }] of families) {
      expect([name, type]).toEqual([name, expect.stringMatching(/^(gauge|counter|histogram)$/)]);
      expect(help.length).toBeGreaterThan(10);
    }
    for (const [name, { type, help, labels = [], buckets }] of own) {
      expect(families.get(name)).toMatchObject({ type, help });
      expect(name).toMatch(/^onboarding_[a-z_]+[a-z]$/);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect([name, type !== 'histogram' || name.endsWith('_seconds')]).toEqual([name, true]);
      expect([name, !name.endsWith('_seconds') || /\bseconds\b/i.test(help)]).toEqual([name, true]);
      expect([name, type === 'histogram']).toEqual([name, buckets !== undefined]);
      expect(labels.filter((label) => ['path', 'url', 'symbol', 'job', 'portfolio'].includes(label))).toEqual(
        [],
      );
    }
  });

  test('of two apps are apart', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.count('onboarding_retries_total', { phase: 'fetch' });
    expect(sampleOf(await one.text(), 'onboarding_retries_total', { phase: 'fetch' })).toBe(1);
    expect(sampleOf(await other.text(), 'onboarding_retries_total', { phase: 'fetch' })).toBeNull();
  });

  test('a gauge that is not known is missing, not zero', async () => {
    const metrics = createMetrics();
    metrics.set('onboarding_depth', 3);
    metrics.set('onboarding_jobs', 2, { status: 'failed' });
    expect(sampleOf(await metrics.text(), 'onboarding_depth')).toBe(3);
    metrics.set('onboarding_depth', null);
    metrics.set('onboarding_jobs', null, { status: 'failed' });
    const text = await metrics.text();
    expect(sampleOf(text, 'onboarding_depth')).toBeNull();
    expect(sampleOf(text, 'onboarding_jobs', { status: 'failed' })).toBeNull();
  });
});
