import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { authTokens } from '../support/tokens.ts';

function linesOf(environment: Record<string, string>): string[] {
  const answer = readConfig(environment);
  return 'problems' in answer ? answer.problems.map(({ message }) => message) : [];
}

function httpOf(environment: Record<string, string>) {
  const answer = readConfig(environment);
  if ('problems' in answer) throw new Error(answer.problems.map(({ message }) => message).join('\n'));
  return answer.config.http;
}

describe('AUTH_TOKENS', () => {
  test('are none by default, and read with their roles', () => {
    expect(httpOf({}).tokens).toEqual([]);
    expect(httpOf({ AUTH_TOKENS: authTokens }).tokens.map(({ viewer }) => viewer)).toEqual([
      { name: 'ann', role: 'user' },
      { name: 'bob', role: 'user' },
      { name: 'olga', role: 'operator' },
    ]);
  });

  test('have a line per wrong entry, without the secret', () => {
    expect(linesOf({ AUTH_TOKENS: 'hunter2,ann:user:hunter2' })).toEqual([
      'Invalid AUTH_TOKENS. Entry 1 must be name:role:sha256-of-token.',
      'Invalid AUTH_TOKENS. Entry 2 (ann) must end with the SHA-256 of the token (64 hexadecimal digits), not with the ' +
        'token itself.',
    ]);
  });

  test('open every host; without them it is loopback only', () => {
    for (const HOST of ['0.0.0.0', '::', 'db.example']) {
      expect(linesOf({ HOST })).toEqual([
        expect.stringMatching(/^HOST ".*" is open to other machines, but AUTH_TOKENS is not set/),
      ]);
      expect(linesOf({ HOST, AUTH_TOKENS: authTokens })).toEqual([]);
    }
  });
});

describe('CORS_ORIGINS', () => {
  test('are exact origins, none by default', () => {
    expect(httpOf({}).corsOrigins).toEqual([]);
    expect(httpOf({ CORS_ORIGINS: 'https://app.example, http://localhost:5173' }).corsOrigins).toEqual([
      'https://app.example',
      'http://localhost:5173',
    ]);
  });

  test.each(['*', 'null', 'app.example', 'https://app.example/', 'https://*.example', 'ftp://app.example'])(
    'cannot be %s',
    (origin) => {
      expect(linesOf({ CORS_ORIGINS: origin })).toEqual([
        `Invalid CORS_ORIGINS "${origin}". Allowed: origins like https://app.example, separated by commas.`,
      ]);
    },
  );
});

describe('TRUST_PROXY', () => {
  test('are addresses and networks, none by default', () => {
    expect(httpOf({}).trustProxy).toEqual([]);
    const TRUST_PROXY = 'loopback, 10.0.0.0/8, 192.0.2.1, 2001:db8::/32, ::1';
    expect(httpOf({ TRUST_PROXY }).trustProxy).toEqual(TRUST_PROXY.split(', '));
  });

  test.each(['true', '*', '0.0.0.0/0', '::/0', '10.0.0.0/33', '10.0.0/8', 'proxy.example', '10.0.0.0/8/8'])(
    'cannot be %s',
    (proxy) => {
      expect(linesOf({ TRUST_PROXY: proxy })).toEqual([
        expect.stringMatching(/^Invalid TRUST_PROXY ".*"\. Allowed: addresses, networks like/),
      ]);
    },
  );
});

test('limits have generous defaults, and 0 turns a rate limit off', () => {
  expect(httpOf({})).toMatchObject({
    rates: { requests: 6000, uploads: 300 },
    connections: { connections: 1000 },
  });
  const off = { RATE_LIMIT_PER_MINUTE: '0', UPLOAD_RATE_LIMIT_PER_MINUTE: '0' };
  expect(httpOf(off).rates).toEqual({ requests: 0, uploads: 0 });
});
