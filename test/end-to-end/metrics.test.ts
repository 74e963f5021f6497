import { expect, test } from 'vitest';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { parseMetrics, sampleOf } from '../support/prometheus.ts';
import { csvOf, startService, type Uploaded } from '../support/service.ts';

describeOnEveryDatabase('a scrape', (makeDatabase) => {
  test('counts what became of an upload: a failure, a retry, a partial job and a refusal', async () => {
    const service = await startService(await makeDatabase(), { faults: 'EMPTY=empty,FLAKY=timeout:1' });
    await service.upload(csvOf('NOPE'));
    const { body } = await service.upload<Uploaded>(csvOf('AAPL', 'EMPTY', 'FLAKY', 'NEW13'));
    await service.settled(body.portfolio_id);

    const text = await (await fetch(`${service.url}/metrics`)).text();

    const finished = (labels: object) =>
      sampleOf(text, 'onboarding_jobs_finished_total', { outcome: '', error_code: '', ...labels });
    expect(finished({ status: 'completed', outcome: 'complete' })).toBe(2);
    expect(finished({ status: 'completed', outcome: 'partial' })).toBe(1);
    expect(finished({ status: 'failed', error_code: 'no_price_data' })).toBe(1);
    expect(parseMetrics(text).get('onboarding_jobs_finished_total')!.samples).toHaveLength(3);
    expect(sampleOf(text, 'onboarding_retries_total', { phase: 'fetch' })).toBe(1);
    expect(sampleOf(text, 'onboarding_admission_refusals_total', { reason: 'invalid_symbols' })).toBe(1);
    const phases = (phase: string, result: string) =>
      sampleOf(text, 'onboarding_phase_duration_seconds_count', { phase, result });
    expect([phases('fetch', 'completed'), phases('fetch', 'backing_off'), phases('fetch', 'failed')]).toEqual(
      [3, 1, 1],
    );
    expect(['factors', 'universe', 'snapshot', 'cache'].map((phase) => phases(phase, 'completed'))).toEqual([
      3, 3, 3, 3,
    ]);
    const called = (kind: string, result: string) =>
      sampleOf(text, 'onboarding_provider_request_duration_seconds_count', {
        provider: 'simulated',
        kind,
        result,
      });
    expect([
      called('lookup', 'ok'),
      called('history', 'no_price_data'),
      called('history', 'provider_timeout'),
    ]).toEqual([2, 1, 1]);
    expect(called('history', 'ok')).toBe(3 + 8); // the proxies too
    const uploads = (status: string) =>
      sampleOf(text, 'onboarding_http_request_duration_seconds_count', {
        method: 'POST',
        route: '/portfolios',
        status,
      });
    expect([uploads('422'), uploads('202')]).toEqual([1, 1]);
    const gauges = ['depth', 'depth_limit', 'paused', 'accepting', 'permits_in_use', 'database_up'];
    expect(gauges.map((name) => sampleOf(text, `onboarding_${name}`))).toEqual([0, 50, 0, 1, 0, 1]);
    expect(sampleOf(text, 'onboarding_jobs', { status: 'completed' })).toBe(3);
    expect(sampleOf(text, 'onboarding_feed_position')).toBe(service.transitions.at(-1)!.position);
  });

  test('tells a pause, and a job that was cancelled before anybody began it', async () => {
    const service = await startService(await makeDatabase());
    await service.post('/onboarding/pause');
    await service.upload(csvOf('AAPL'));
    const { job_id } = await service.job('AAPL');
    const scraped = async () => (await fetch(`${service.url}/metrics`)).text();
    const before = await scraped();
    expect([sampleOf(before, 'onboarding_paused'), sampleOf(before, 'onboarding_depth')]).toEqual([1, 1]);
    await service.post(`/onboarding/jobs/${job_id}/cancel`);
    await service.transition(({ to }) => to === 'cancelled');
    const after = await scraped();
    expect(sampleOf(after, 'onboarding_depth')).toBe(0);
    expect(
      sampleOf(after, 'onboarding_jobs_finished_total', { status: 'cancelled', outcome: '', error_code: '' }),
    ).toBe(1);
  });
});
