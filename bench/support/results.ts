import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Findings, isKept, type Promised } from './benchmark.ts';

const file = join(import.meta.dirname, '../README.md');

/** Puts the section of one benchmark between its markers; a new one comes at the end. */
export function writeResults(
  name: string,
  title: string,
  { markdown, promises }: Findings,
  measured: { on: string; at: string },
): void {
  const begin = `<!-- bench ${name} -->`;
  const end = `<!-- end ${name} -->`;
  const evidence = `Measured on ${measured.on}, at commit ${measured.at}.`;
  const kept = promises.map((promised) => `- ${verdict(promised)}`).join('\n');
  const section = [begin, `## ${title}`, markdown.trim(), kept, evidence, end].filter(Boolean).join('\n\n');
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  const next =
    from >= 0 && to > from
      ? text.slice(0, from) + section + text.slice(to + end.length)
      : `${text.trimEnd()}\n\n${section}\n`;
  writeFileSync(file, next);
}

/** `kept: lifecycle at concurrency 3, of DBOS: 3.40 (at least 3)`. */
export function verdict(promised: Promised): string {
  const { what, value, limit } = promised;
  const asked = 'atLeast' in limit ? `at least ${limit.atLeast}` : `at most ${limit.atMost}`;
  return `${isKept(promised) ? 'kept' : '**missed**'}: ${what}: ${value.toFixed(2)} (${asked})`;
}
