import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
const rows = page
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, risk]) => /^API\d+ /.test(risk ?? ''));

/** `test/a.test.ts`: a title; `test/b.test.ts`: another */
const shown = (cell: string) =>
  [...cell.matchAll(/`(test\/[^`]+)`: (.*?)(?=; `test\/|$)/g)].map(
    ([, file, title]) => [file!, title!] as const,
  );

describe('docs/security.md', () => {
  test('answers each of the ten risks', () => {
    expect(rows.map(([, risk]) => /^API\d+/.exec(risk!)![0])).toEqual(
      Array.from({ length: 10 }, (_, n) => `API${n + 1}`),
    );
  });

  test.each(rows.map(([, risk, , tests]) => [risk!, shown(tests!)] as const))(
    '%s is shown by tests',
    (_, named) => {
      expect(named.length).toBeGreaterThan(0);
      for (const [file, title] of named) {
        expect(readFileSync(join(root, file), 'utf8'), `${file} has no test: ${title}`).toContain(
          `'${title}'`,
        );
      }
    },
  );
});
