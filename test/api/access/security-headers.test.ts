import helmet from '@fastify/helmet';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { securityHeaders, strictPolicy } from '../../../src/api/access/security-headers.ts';
import { ask, serve } from '../serve.ts';

test('a page gets what helmet sends, with its own policy', async () => {
  const reference = Fastify();
  await reference.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    hsts: false,
  });
  reference.get('/', async () => '');
  const sent = (await reference.inject('/')).headers;
  const own = ['content-length', 'content-type', 'connection', 'date'];
  const expected = Object.fromEntries(Object.entries(sent).filter(([name]) => !own.includes(name)));
  expect(securityHeaders(strictPolicy)).toEqual(expected);
  expect(securityHeaders("default-src 'self'")).toEqual({
    ...expected,
    'content-security-policy': "default-src 'self'",
  });
});

test.each([
  ['/onboarding', 200],
  ['/nowhere', 404],
  ['/symbols/%zz/status', 400],
])('%s is data that no page may run, frame or embed', async (path, expected) => {
  const { url } = await serve();
  const { status, headers } = await ask(url + path);
  expect(status).toBe(expected);
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none'",
  );
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
  expect(headers.has('strict-transport-security')).toBe(false);
});
