import { afterEach } from 'vitest';
import { buildServer, type ServerOptions } from '../../src/api/http.server.ts';
import type { Viewer } from '../../src/api/service.ts';
import { fakeService } from './fake-service.ts';

const running = new Set<() => Promise<void>>();

afterEach(async () => {
  await Promise.all([...running].map((close) => close()));
  running.clear();
});

/** The time that every test server believes it is. */
export const now = Date.parse('2026-03-02T14:30:00Z');

/** A server on a free port over a fake service, closed after the test. */
export async function serve({ viewer, ...options }: Partial<ServerOptions> & { viewer?: Viewer } = {}) {
  const fake = fakeService();
  const server = buildServer(fake.service, {
    clock: { now: () => now, sleepUntil: async () => {} },
    marketData: { providers: ['simulated'], simulated: true },
    ...options,
  });
  if (viewer) {
    server.addHook('onRequest', async (request) => {
      Object.defineProperty(request, 'viewer', { value: viewer });
    });
  }
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const close = () => server.close();
  running.add(close);
  return { fake, server, url, close, port: Number(new URL(url).port) };
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever came
export type Json = any;

/** Fetches and reads the JSON, whatever its media type says. */
export async function ask(
  url: string,
  init?: RequestInit,
): Promise<{ status: number; headers: Headers; body: Json }> {
  const response = await fetch(url, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? null : (JSON.parse(text) as Json),
  };
}
