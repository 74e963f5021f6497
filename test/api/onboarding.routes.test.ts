import { describe, expect, test } from 'vitest';
import { jobId, missingId } from './fake-service.ts';
import { ask, serve } from './serve.ts';

describe('onboarding routes', () => {
  test('the overview says which market it is', async () => {
    const { url } = await serve();
    const { body } = await ask(`${url}/onboarding`);
    expect(body).toMatchObject({
      depth: 1,
      limits: { depth: 50, concurrency: 3 },
      market_data: { providers: ['simulated'], simulated: true },
    });
  });

  test('jobs are filtered by several statuses and a symbol, and paged', async () => {
    const { url, fake } = await serve();
    const { body } = await ask(
      `${url}/onboarding/jobs?status=pending,failed&symbol=brk.b&limit=2&cursor=${jobId}`,
    );
    expect(body).toMatchObject({
      jobs: [{ job_id: jobId, links: { self: `/onboarding/jobs/${jobId}`, symbol: '/symbols/BRK-B' } }],
      next_cursor: jobId,
    });
    const query = { status: ['pending', 'failed'], symbol: 'brk.b', limit: 2, cursor: jobId };
    expect(fake.calls[0]?.[0]).toEqual(query);
  });

  test.each(['status=gone', 'status=', 'limit=501', 'cursor=1', 'outcome=partial', 'limit=2&limit=3'])(
    'jobs?%s is refused',
    async (query) => {
      const { url } = await serve();
      const { status, body } = await ask(`${url}/onboarding/jobs?${query}`);
      expect([status, body.code]).toEqual([422, 'invalid_request']);
    },
  );

  test('one job has its actor snapshot and its timeline', async () => {
    const { url } = await serve();
    const { body } = await ask(`${url}/onboarding/jobs/${jobId}`);
    expect(body).toMatchObject({
      state: 'processing.fetch.running',
      actor_snapshot: { status: 'active', value: { processing: { fetch: 'running' } } },
      timeline: [{ sequence: 1 }, { sequence: 2 }],
    });
  });

  test('a job that is not there is 404', async () => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/onboarding/jobs/${missingId}`);
    expect([status, body.code]).toEqual([404, 'job_not_found']);
  });
});
