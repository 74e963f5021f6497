import { posix } from 'node:path';

/** One import line, or anything else that names a module. */
export interface Import {
  specifier: string;
  /** Erased before the program runs, so it cannot touch the world. */
  typeOnly: boolean;
}

/** Every module that a source names: static, re-exported, dynamic, for its side effect. */
export function importsOf(source: string): Import[] {
  const text = code(source);
  const named = /^[ \t]*(import|export)\s+(type\s)?([\w\s{},*$]*?)\s*\bfrom\s*'([^']+)'/gm;
  const found = [...text.matchAll(named)].map(([, , type, names, specifier]) => ({
    specifier: specifier!,
    typeOnly: Boolean(type) || onlyTypes(names!),
  }));
  const bare = [...text.matchAll(/\bimport\s*\(?\s*'([^']+)'/g)].map(([, specifier]) => ({
    specifier: specifier!,
    typeOnly: false,
  }));
  return [...found, ...bare];
}

function onlyTypes(names: string): boolean {
  const list = names
    .match(/^\{(.*)\}$/s)?.[1]
    ?.split(',')
    .map((name) => name.trim());
  return list?.every((name) => name === '' || name.startsWith('type ')) ?? false;
}

/** The file that a source names, from the root; null where it is a package. */
export const targetOf = (path: string, specifier: string) =>
  specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null;

/**
 * Folders that import each other, in a circle of any length: each as the list of its folders. `read` answers the text
 * of a file.
 */
export function folderCircles(paths: readonly string[], read: (path: string) => string): string[][] {
  const below = new Map<string, Set<string>>();
  for (const path of paths) {
    const folder = posix.dirname(path);
    const reached = below.get(folder) ?? new Set();
    for (const { specifier } of importsOf(read(path))) {
      const target = targetOf(path, specifier);
      if (target?.endsWith('.ts') && posix.dirname(target) !== folder) reached.add(posix.dirname(target));
    }
    below.set(folder, reached);
  }
  const reachableFrom = (start: string) => {
    const seen = new Set<string>();
    const next = [...(below.get(start) ?? [])];
    for (let folder = next.pop(); folder !== undefined; folder = next.pop()) {
      if (seen.has(folder)) continue;
      seen.add(folder);
      next.push(...(below.get(folder) ?? []));
    }
    return seen;
  };
  const all = new Map([...below.keys()].map((folder) => [folder, reachableFrom(folder)]));
  const circles = [...below.keys()].map((folder) =>
    [...all.get(folder)!].filter((other) => all.get(other)?.has(folder)).sort(),
  );
  return [...new Map(circles.filter(({ length }) => length > 1).map((one) => [one.join(), one])).values()];
}

/** Files of one name with two meanings: the same base name, or one that differs in its plural or spelling alone. */
export function namesakes(paths: readonly string[]): string[][] {
  const byName = new Map<string, string[]>();
  for (const path of paths) {
    const name = posix
      .basename(path)
      .replace('catalogue', 'catalog')
      .replace(/s(?=\.)/, '');
    if (name !== 'index.ts') byName.set(name, [...(byName.get(name) ?? []), path]);
  }
  return [...byName.values()].filter(({ length }) => length > 1);
}

/** The source without comments; import lines have no comment marks in their strings. */
export function code(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
