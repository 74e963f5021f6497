import { expect, test } from 'vitest';
import { problemCatalog } from '../../src/api/problems/problem-catalog.ts';
import { exitCodeOf, exitCodes } from '../../src/cli/exit-codes.ts';

const { refused, unreachable, notAllowed, tryLater } = exitCodes;

// Scripts branch on them: a service that is busy is asked again, a refusal is not.
test.each([
  [400, refused],
  [401, notAllowed],
  [403, notAllowed],
  [404, refused],
  [408, unreachable],
  [409, refused],
  [422, refused],
  [429, tryLater],
  [500, refused],
  [502, unreachable],
  [503, tryLater],
  [504, unreachable],
])('a command that is answered %i ends with %i', (status, code) => {
  expect(exitCodeOf(status)).toBe(code);
});

test('a command may be tried later exactly where the service says when', () => {
  for (const { status } of Object.values(problemCatalog)) {
    expect([status, exitCodeOf(status) === tryLater]).toEqual([status, status === 429 || status === 503]);
  }
});
