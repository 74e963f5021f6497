import { describe, expect, test } from 'vitest';
import type { CancelAnswer, RetryAnswer } from '../../../src/contract/service.ts';
import { jobId, missingId } from '../fake-service.ts';
import { ask, serve } from '../serve.ts';

const post = (url: string) => ask(url, { method: 'POST' });
const job = `/onboarding/jobs/${jobId}`;

describe('operator routes', () => {
  test('a retry is 202 with the job and where to watch it', async () => {
    const { url, fake } = await serve();
    const { status, headers, body } = await post(`${url}${job}/retry`);
    expect([status, headers.get('location')]).toEqual([202, job]);
    expect(body).toMatchObject({ job_id: jobId, timeline: [{ sequence: 1 }, {}], links: { self: job } });
    expect(fake.calls).toEqual([['retry', jobId]]);
  });

  const retries: [RetryAnswer, number, object][] = [
    [{ kind: 'not_found' }, 404, { code: 'job_not_found' }],
    [
      { kind: 'not_retryable', status: 'cancelled' },
      409,
      { code: 'not_retryable', detail: expect.stringContaining('cancelled') },
    ],
    [{ kind: 'symbol_busy', job_id: missingId }, 409, { code: 'symbol_busy', job_id: missingId }],
    [
      { kind: 'queue_full', depth: 50, limit: 50, needed: 1, retry_after_seconds: 12 },
      503,
      { code: 'queue_full', depth: 50, limit: 50, retry_after_seconds: 12 },
    ],
  ];
  test.each(retries)('a retry that is $kind is a problem', async (answer, status, expected) => {
    const { url, fake } = await serve();
    fake.retried = answer;
    const reply = await post(`${url}${job}/retry`);
    expect(reply).toMatchObject({ status, body: expected });
    expect(reply.headers.get('retry-after')).toBe(status === 503 ? '12' : null);
  });

  test.each(['cancelled', 'requested'] as const)('a cancellation is 202 and says %s', async (kind) => {
    const { url, fake } = await serve();
    fake.cancelled = { kind, symbol: 'BRK-B' };
    const { status, body } = await post(`${url}${job}/cancel`);
    expect(status).toBe(202);
    expect(body).toEqual({
      job_id: jobId,
      status: kind,
      links: {
        self: job,
        symbol: '/symbols/BRK-B',
        status: '/symbols/BRK-B/status',
        timeline: `${job}/timeline`,
        actor: `/onboarding/actors/${jobId}`,
        jobs: '/onboarding/jobs?symbol=BRK-B',
      },
    });
  });

  const cancellations: [CancelAnswer, number, string][] = [
    [{ kind: 'not_found' }, 404, 'job_not_found'],
    [{ kind: 'too_late' }, 409, 'too_late_to_cancel'],
    [{ kind: 'not_cancellable', status: 'failed' }, 409, 'not_cancellable'],
  ];
  test.each(cancellations)('a cancellation that is $kind is a problem', async (answer, status, code) => {
    const { url, fake } = await serve();
    fake.cancelled = answer;
    expect(await post(`${url}${job}/cancel`)).toMatchObject({ status, body: { code } });
  });

  test('pause and resume answer the overview after it', async () => {
    const { url, fake } = await serve();
    expect(await post(`${url}/onboarding/pause`)).toMatchObject({ status: 200, body: { paused: true } });
    expect(await post(`${url}/onboarding/resume`)).toMatchObject({ status: 200, body: { paused: false } });
    expect(fake.calls).toEqual([
      ['setPaused', true],
      ['setPaused', false],
    ]);
  });

  test.each([
    `${job}/retry`,
    `${job}/cancel`,
    '/onboarding/jobs/x/retry',
    '/onboarding/pause',
    '/onboarding/resume',
  ])('a user may not POST %s, and learns nothing of the job', async (path) => {
    const { url, fake } = await serve({ viewer: { name: 'ann', role: 'user' } });
    const { status, body } = await post(url + path);
    expect([status, body.code]).toEqual([403, 'operators_only']);
    expect(fake.calls).toEqual([]);
  });

  test('an id that is none is refused by name', async () => {
    const { url } = await serve();
    const { status, body } = await post(`${url}/onboarding/jobs/x/cancel`);
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ path: 'id', value: 'x' }]);
  });
});
