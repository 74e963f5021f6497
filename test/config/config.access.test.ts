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
  test('are nobody’s by default, and read with their roles', () => {
    expect(httpOf({}).tokens).toEqual([]);
    expect(httpOf({ AUTH_TOKENS: authTokens }).tokens.map(({ viewer }) => viewer)).toEqual([
      { name: 'ann', role: 'user' },
      { name: 'bob', role: 'user' },
      { name: 'olga', role: 'operator' },
    ]);
  });

  test('have a line per wrong entry, without the secret', () => {
    expect(linesOf({ AUTH_TOKENS: 'hunter2,ann:user:hunter2' })).toEqual([
      'AUTH_TOKENS: expected entry 1 to be name:role:sha256-of-token, came: (not shown)',
      'AUTH_TOKENS: expected entry 2 (ann) to end with a SHA-256, 64 hexadecimal digits, never with the token, ' +
        'came: (not shown)',
    ]);
  });

  test('open every host; without them it is loopback only', () => {
    for (const HOST of ['0.0.0.0', '::', 'db.example']) {
      expect(linesOf({ HOST })).toEqual([
        expect.stringMatching(/^HOST: expected a loopback address.*AUTH_TOKENS/),
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
        expect.stringMatching(/^CORS_ORIGINS: expected origins like https:\/\/app.example/),
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
        expect.stringMatching(/^TRUST_PROXY: expected addresses or networks/),
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
