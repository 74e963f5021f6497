import { readFileSync } from 'node:fs';

/** A file of `test/fixtures`, where a README beside it says who made its numbers. */
export const fixtureText = (path: string): string =>
  readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8');

export const fixtureJson = <T>(path: string): T => JSON.parse(fixtureText(path)) as T;

/** A CSV without quotes as one object per row, by the names in its first line. An absent value is ''. */
export function fixtureRows(path: string): Record<string, string>[] {
  const [header, ...lines] = fixtureText(path)
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return lines.map((cells) => Object.fromEntries(header!.map((name, i) => [name, cells[i]!])));
}
