import { describe, expect, test } from 'vitest';
import { ask, serve } from '../serve.ts';

describe('health', () => {
  test('live asks nobody', async () => {
    const { url, fake } = await serve();
    fake.ready = false;
    expect(await ask(`${url}/health/live`)).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  test('ready names each check, and is 503 when one fails', async () => {
    const { url, fake } = await serve();
    expect(await ask(`${url}/health/ready`)).toMatchObject({
      status: 200,
      body: { status: 'ok', checks: [{ name: 'database', status: 'ok' }] },
    });
    fake.ready = false;
    expect(await ask(`${url}/health/ready`)).toMatchObject({
      status: 503,
      body: {
        code: 'not_ready',
        detail: 'Not ready: database.',
        checks: [{ name: 'database', status: 'failed' }],
      },
    });
  });
});
