import { describe, expect, test } from 'vitest';
import { jobId, missingId } from '../fake-service.ts';
import { ask, serve } from '../serve.ts';

const job = `/onboarding/jobs/${jobId}`;
const self = `/onboarding/actors/${jobId}`;

describe('actor routes', () => {
  test('list the supervisor and the actors of unfinished jobs, with links', async () => {
    const { url, fake } = await serve();
    const { status, headers, body } = await ask(`${url}/onboarding/actors?symbol=BRK-B`);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toContain('no-store');
    expect(body).toMatchObject({
      node: 'node-1',
      supervisor: { kind: 'supervisor', source: 'live', links: { self: '/onboarding/actors/supervisor' } },
      actors: [{ source: 'journal', node: 'node-2', links: { self, job, timeline: `${job}/timeline` } }],
      next_cursor: jobId,
    });
    const asked = { status: ['pending', 'processing'], symbol: 'BRK-B', limit: 100 };
    expect(fake.calls).toEqual([['actors', asked]]);
  });

  test('give one actor, now or after one of its transitions', async () => {
    const { url, fake } = await serve();
    expect(await ask(`${url}${self}`)).toMatchObject({ status: 200, body: { actor_id: jobId } });
    expect(await ask(`${url}${self}?at=2`)).toMatchObject({ status: 200, body: { actor_id: jobId } });
    expect(await ask(`${url}/onboarding/actors/supervisor`)).toMatchObject({ body: { kind: 'supervisor' } });
    expect(fake.calls).toEqual([[jobId], [jobId], [jobId, 2], ['supervisor']]);
  });

  test.each([
    [`/onboarding/actors/${missingId}`, 404, 'job_not_found'],
    [`${self}?at=4`, 404, 'transition_not_found'],
    ['/onboarding/actors/supervisor?at=1', 404, 'transition_not_found'],
    [`${self}?at=0`, 422, 'invalid_request'],
    ['/onboarding/actors/AAPL', 422, 'invalid_request'],
    [`/onboarding/jobs/${missingId}/timeline`, 404, 'job_not_found'],
  ])('%s is %i %s', async (path, status, code) => {
    const { url } = await serve();
    expect(await ask(url + path)).toMatchObject({ status, body: { code } });
  });

  test('give a timeline page by page', async () => {
    const { url, fake } = await serve();
    const { status, body } = await ask(`${url}${job}/timeline?limit=1&cursor=3`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      entries: [{ sequence: 1, provider_fallbacks: [{ from: 'yahoo', to: 'files' }] }],
      next_cursor: '1',
      links: { self: job },
    });
    expect(fake.calls).toEqual([[jobId, { limit: 1, cursor: 3 }]]);
  });
});
