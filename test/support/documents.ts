import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Everything that is written for readers, by its path in the repository. */
export const documents: ReadonlyMap<string, string> = new Map(
  [
    'README.md',
    'CONTRIBUTING.md',
    'machines/README.md',
    'bench/README.md',
    ...globSync('docs/*.md', { cwd: root }),
  ].map((path) => [path, readFileSync(join(root, path), 'utf8')]),
);

export function read(path: string): string {
  const text = documents.get(path);
  if (text === undefined)
    throw new Error(`expected one of ${[...documents.keys()].join(', ')}, got: ${path}`);
  return text;
}

/** One sentence per relative link of a document that leads nowhere: to no file, or to no heading of it. */
export function brokenLinks(path: string, text: string): string[] {
  const links = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : relative(root, resolve(root, dirname(path), file));
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(documents.get(target) ?? '').has(anchor);
    })
    .map((link) => `${path} links to ${link}, which does not exist`);
}

/** What GitHub makes of headings: `## A node's death` is `#a-nodes-death`. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of prose(text).matchAll(/^#+ (.*)$/gm)) {
    const slug = heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** One sentence per path in a document's code that does not exist; `*` stands for anything, `NAME` for a name. */
export function missingPaths(path: string, text: string): string[] {
  const named = [
    ...text.matchAll(/(?<![\w/.@])(?:src|test|machines|docs|bench|bin|examples)\/[\w./*-]*[\w/*]/g),
  ];
  return [...new Set(named.map(([name]) => name))]
    .filter((name) => !name.includes('NAME') && globSync(name, { cwd: root }).length === 0)
    .map((name) => `${path} names ${name}, which does not exist`);
}

/** A document with the rows of one of its tables written again; the header finds the table. */
export function withTable(
  text: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => cellsOf(line).join('|') === header.join('|'));
  if (start < 0) throw new Error(`expected a table with the columns ${header.join(', ')}`);
  let end = start;
  while (lines[end]?.startsWith('|')) end += 1;
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]!.length)));
  const rule = widths.map((width) => '-'.repeat(width));
  const drawn = [header, rule, ...rows].map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`,
  );
  return [...lines.slice(0, start), ...drawn, ...lines.slice(end)].join('\n');
}

/** The first column of a table, without its header. */
export function firstColumn(text: string, header: string): string[] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => cellsOf(line)[0] === header);
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) => cellsOf(line)[0]!);
}

const cellsOf = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

/** A text without its code blocks: what looks like a link or a heading there is none. */
const prose = (text: string) => text.replace(/^ *```[\s\S]*?^ *```$/gm, '');
