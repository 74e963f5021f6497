import type { onRouteHookHandler } from 'fastify';
import { afterEach } from 'vitest';
import { parseTokens } from '../../src/api/access/tokens.ts';
import { buildServer, type ServerOptions } from '../../src/api/http.server.ts';
import type { Viewer } from '../../src/contract/service.ts';
import { authTokens } from '../support/tokens.ts';
import { fakeService } from './fake-service.ts';

const running = new Set<() => Promise<void>>();

afterEach(async () => {
  await Promise.all([...running].map((close) => close()));
  running.clear();
});

/** For `serve({ tokens })`: those of test/support/tokens.ts. */
export const { tokens } = parseTokens(authTokens);

/** The time that every test server believes it is. */
export const now = Date.parse('2026-03-02T14:30:00Z');

interface ServeOptions extends Partial<ServerOptions> {
  /** Whose each request is, where it does not matter how that is known. */
  viewer?: Viewer;
  /** Null: the inspector is off. */
  inspection?: null;
  /** Told of each route. */
  onRoute?: onRouteHookHandler;
}

/** A server on a free port over a fake service, closed after the test. */
export async function serve({ viewer, onRoute, inspection, ...options }: ServeOptions = {}) {
  const fake = fakeService();
  if (inspection === null) fake.service.inspection = null;
  const server = buildServer(fake.service, {
    clock: { now: () => now, sleepUntil: async () => {} },
    marketData: { providers: ['simulated'], simulated: true },
    ...options,
  });
  if (onRoute) server.addHook('onRoute', onRoute);
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
