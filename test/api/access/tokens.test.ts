import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { bearerToken, parseTokens, tokenEntry, viewerOf } from '../../../src/api/access/tokens.ts';

const digest = (token: string) => createHash('sha256').update(token).digest('hex');
const secret = digest('hunter2');

describe('AUTH_TOKENS', () => {
  test('are names with a role, known by the hash of their token', () => {
    const { tokens, problems } = parseTokens(
      ` ann:user:${digest('a')} , olga@desk-1:operator:${digest('o').toUpperCase()}`,
    );
    expect(problems).toEqual([]);
    expect(viewerOf('a', tokens)).toEqual({ name: 'ann', role: 'user' });
    expect(viewerOf('o', tokens)).toEqual({ name: 'olga@desk-1', role: 'operator' });
    for (const wrong of ['', 'b', 'a ', digest('a')]) expect(viewerOf(wrong, tokens)).toBeNull();
  });

  test('may have two tokens for one name, so that the old one works until the new one is everywhere', () => {
    const { tokens, problems } = parseTokens(`ann:user:${digest('old')},ann:user:${digest('new')}`);
    expect(problems).toEqual([]);
    for (const token of ['old', 'new']) expect(viewerOf(token, tokens)?.name).toBe('ann');
  });

  test.each([
    ['ann', 'Entry 1 must be name:role:sha256-of-token.'],
    [`ann:${secret}`, 'Entry 1 must be name:role:sha256-of-token.'],
    [`ann:user:${secret}:x`, 'Entry 1 (ann) must be name:role:sha256-of-token.'],
    [`ann:user:${secret},`, 'Entry 2 must be name:role:sha256-of-token.'],
    [`An n:user:${secret}`, 'Entry 1 must have a name of 1 to 64 characters from a-z 0-9 . _ @ -.'],
    [`:user:${secret}`, 'Entry 1 must have a name of 1 to 64 characters from a-z 0-9 . _ @ -.'],
    [`ann:admin:${secret}`, 'Entry 1 must have the role user or operator.'],
    [
      'ann:user:hunter2',
      'Entry 1 (ann) must end with the SHA-256 of the token (64 hexadecimal digits), not with the token itself.',
    ],
    [
      `ann:user:${digest('a')},ann:operator:${secret}`,
      'Entry 2 (ann) must have the role user, like the earlier entry of that name.',
    ],
    [
      `ann:user:${secret},bob:user:${secret}`,
      'Entry 2 (bob) must have a token that no other entry has, and not an empty one.',
    ],
    [
      `ann:user:${digest('')}`,
      'Entry 1 (ann) must have a token that no other entry has, and not an empty one.',
    ],
  ])('%s is refused', (list, problem) => {
    const { problems } = parseTokens(list);
    expect(problems).toEqual([problem]);
    expect(problem).not.toContain('hunter2');
  });

  test('are refused all at once, and no part that may be a secret is repeated', () => {
    const { problems } = parseTokens(`hunter2,hunter2:${secret},ann:hunter2:x,ann:user:hunter2`);
    expect(problems).toHaveLength(4);
    expect(problems.join()).not.toMatch(new RegExp(`hunter2|${secret}`));
  });
});

describe('an entry', () => {
  test('is made of a name, a role and the hash of the token', () => {
    expect(tokenEntry({ name: 'ann', role: 'user', token: 'hunter2' })).toBe(`ann:user:${secret}`);
  });

  test('is not made where the service would refuse it', () => {
    expect(() => tokenEntry({ name: 'Ann', role: 'user', token: 't' })).toThrow(/a name of 1 to 64/);
    expect(() => tokenEntry({ name: 'ann', role: 'root', token: 't' })).toThrow(/role user or operator/);
  });
});

describe('an Authorization header', () => {
  test.each([
    ['Bearer abc', 'abc'],
    ['bearer   a.b-c_d~e+f/g==', 'a.b-c_d~e+f/g=='],
    ['Bearer', null],
    ['Bearer ', null],
    ['Bearer a b', null],
    ['Basic abc', null],
    ['abc', null],
  ])('%s carries %s', (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });
});
