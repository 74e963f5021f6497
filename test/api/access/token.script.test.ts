import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { parseTokens, viewerOf } from '../../../src/api/access/tokens.ts';

const run = (...parameters: string[]) =>
  spawnSync(process.execPath, ['src/api/access/token.script.ts', ...parameters], { encoding: 'utf8' });

test('npm run token prints a new token and its entry for AUTH_TOKENS', () => {
  const [first, second] = [run('ann', 'operator'), run('ann', 'operator')];
  const token = /only\): (\S+)/.exec(first.stdout)?.[1] ?? '';
  const entry = /AUTH_TOKENS: (\S+)/.exec(first.stdout)?.[1] ?? '';
  expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  expect(entry).not.toContain(token);
  expect(viewerOf(token, parseTokens(entry).tokens)).toEqual({ name: 'ann', role: 'operator' });
  expect(second.stdout).not.toContain(token);
});

test('npm run token says what is wrong with a name or a role', () => {
  const { status, stdout, stderr } = run('Ann Smith', 'user');
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^Usage: .*\nThe entry must have a name of .*\. Got: Ann Smith user\n$/);
});
