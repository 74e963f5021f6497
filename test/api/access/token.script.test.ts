import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { parseTokens, viewerOf } from '../../../src/api/access/tokens.ts';

const run = (...parameters: string[]) =>
  spawnSync(process.execPath, ['src/api/access/token.script.ts', ...parameters], { encoding: 'utf8' });

test('npm run token prints a fresh token and the entry that lets it in', () => {
  const [first, second] = [run('ann', 'operator'), run('ann', 'operator')];
  const token = /alone: (\S+)/.exec(first.stdout)?.[1] ?? '';
  const entry = /AUTH_TOKENS: (\S+)/.exec(first.stdout)?.[1] ?? '';
  expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  expect(entry).not.toContain(token);
  expect(viewerOf(token, parseTokens(entry).tokens)).toEqual({ name: 'ann', role: 'operator' });
  expect(second.stdout).not.toContain(token);
});

test('npm run token says what is wrong with a name or a role', () => {
  const { status, stdout, stderr } = run('Ann Smith', 'user');
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^Usage: .*\nExpected .*a name of .*got: Ann Smith user\n$/);
});
