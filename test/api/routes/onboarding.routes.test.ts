import { describe, expect, test } from 'vitest';
import { jobLinks } from '../../../src/api/http/links.ts';
import { jobId, missingId, portfolioId } from '../fake-service.ts';
import { ask, serve } from '../serve.ts';

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

  test('jobs are filtered by outcome, error, reason, portfolio and time', async () => {
    const { url, fake } = await serve();
    const query = {
      outcome: 'partial',
      error_code: 'no_price_data',
      reason: 'refresh',
      portfolio_id: portfolioId,
      created_from: '2026-03-01T00:00:00Z',
      created_to: '2026-03-02T01:00:00.5+01:00',
    };
    const { status } = await ask(`${url}/onboarding/jobs?${new URLSearchParams(query)}`);
    expect(status).toBe(200);
    expect(fake.calls[0]?.[0]).toEqual({ ...query, limit: 50 });
  });

  test("jobs of somebody else's portfolio, or of none, are 404", async () => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/onboarding/jobs?portfolio_id=${missingId}`);
    expect([status, body.code]).toEqual([404, 'portfolio_not_found']);
  });

  test.each([
    ...['status=gone', 'status=', 'limit=501', 'cursor=1', 'outcome=good', 'limit=2&limit=3'],
    ...['error_code=No%20data', 'reason=', 'portfolio_id=7', 'created_from=2026-03-01', 'finished=true'],
    ...['created_to=0000-12-31T00:00:00Z', 'created_from=yesterday'],
  ])('jobs?%s is refused', async (query) => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/onboarding/jobs?${query}`);
    expect([status, body.code]).toEqual([422, 'invalid_request']);
  });

  test.each(['2026-03-02T00:00:00Z', '2026-03-02T00:00:01Z'])(
    'a time from %s to midnight names both',
    async (from) => {
      const { url } = await serve();
      const { status, body } = await ask(
        `${url}/onboarding/jobs?created_from=${from}&created_to=2026-03-02T00:00:00Z`,
      );
      expect(status).toBe(422);
      expect(body.errors).toMatchObject([
        {
          path: 'created_from',
          value: from,
          message: expect.stringContaining('before created_to (2026-03-02'),
        },
        { path: 'created_to', message: expect.stringContaining(`after created_from (${from})`) },
      ]);
    },
  );

  test('a job links to what may be done to it now', async () => {
    const { url } = await serve();
    const { body } = await ask(`${url}/onboarding/jobs/${jobId}`);
    const self = `/onboarding/jobs/${jobId}`;
    expect(body.links).toEqual({
      self,
      symbol: '/symbols/BRK-B',
      status: '/symbols/BRK-B/status',
      timeline: `${self}/timeline`,
      actor: `/onboarding/actors/${jobId}`,
      jobs: '/onboarding/jobs?symbol=BRK-B',
      cancel: `${self}/cancel`,
    });
    expect(jobLinks({ ...body, status: 'failed' })).toMatchObject({ retry: `${self}/retry` });
    expect(jobLinks({ ...body, status: 'completed', outcome: 'partial' })).toHaveProperty('retry');
    expect(Object.keys(jobLinks({ ...body, status: 'completed', outcome: 'complete' }))).not.toContain(
      'retry',
    );
  });

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
