import { describe, expect, test, vi } from 'vitest';
import { missingId } from '../fake-service.ts';
import { ask, serve } from '../serve.ts';

describe('metrics', () => {
  test('are text for operators, and nothing to keep', async () => {
    const { url } = await serve();
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.text()).toBe('# {"heldRequests":0,"websocketClients":0}\n');
  });

  test('are for nobody else', async () => {
    const { url } = await serve({ viewer: { name: 'ada', role: 'user' } });
    expect(await ask(`${url}/metrics`)).toMatchObject({ status: 403, body: { code: 'operators_only' } });
  });

  test('know a request by the pattern of its route, whatever its path', async () => {
    const { url, fake } = await serve();
    for (const path of [
      '/symbols/AAPL',
      `/portfolios/${missingId}`,
      '/symbols/x/y/z?q=1',
      '/portfolios?limit=0',
    ]) {
      await fetch(url + path);
    }
    await fetch(`${url}/health/live`, { method: 'DELETE' });
    await vi.waitFor(() => expect(fake.answered).toHaveLength(5)); // told once the client has its answer
    expect(fake.answered).toMatchObject([
      { method: 'GET', route: '/symbols/:symbol', status: 200, seconds: expect.any(Number) },
      { method: 'GET', route: '/portfolios/:id', status: 404 },
      { method: 'GET', route: 'none', status: 404 },
      { method: 'GET', route: '/portfolios', status: 422 },
      { method: 'DELETE', route: 'none', status: 405 },
    ]);
  });
});
