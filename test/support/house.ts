import { posix } from 'node:path';

/** One import line, or anything else that names a module. */
interface Import {
  specifier: string;
  /** Erased before the program runs, so it cannot touch the world. */
  typeOnly: boolean;
}

// Libraries that compute and nothing else: no I/O, no clock, no timers of their own.
const pureLibraries = [
  ...[
    'zod',
    'xstate',
    'xstate/graph',
    'big.js',
    'csv-parse',
    'csv-parse/sync',
    'temporal-polyfill',
    'ml-matrix',
  ],
  ...['jstat', 'lru-cache', 'node:crypto', 'node:assert/strict', 'node:util'],
];

const database = ['@mikro-orm/', 'pg-boss'];
const http = ['fastify', '@fastify/', 'fastify-type-provider-zod', 'ws', 'pino', 'node:'];
const files = ['node:'];

/** What the middle of a dotted name is the edge of. */
const edges: Record<string, readonly string[]> = {
  entity: database,
  store: database,
  query: database,
  queue: database,
  feed: database,
  provider: ['yahoo-finance2', ...files],
  client: ['yahoo-finance2', 'p-queue', ...files],
  fetch: ['yahoo-finance2', 'p-queue', ...files],
  server: http,
  plugin: http,
  routes: http,
  socket: http,
  handler: http,
  guards: http,
  request: http,
  form: http,
  types: http,
  script: [...files, ...database],
  command: ['commander', ...files],
  metrics: ['prom-client'],
  inspector: ['@statelyai/inspect'],
  browser: [],
  terminal: ['log-update', ...files],
};

// What every edge may use of the wiring: errors to throw, a clock to ask, a transaction to join.
const sharedByEdges = ['src/kernel/errors.ts', 'src/kernel/clock.ts', 'src/database/database.orm.ts'];
// pg-boss on the embedded database is one subject in two places: the queue, and the instance that it shares.
const ownWiring: Record<string, readonly string[]> = {
  queue: ['src/database/pglite/boss.pglite.ts', 'mikro-orm.config.ts'],
  script: ['mikro-orm.config.ts'],
};

type Place = 'machine' | 'plain' | 'edge' | 'wiring' | 'migration';

/**
 * Where a source breaks HOUSE's one rule: a plain file name is pure, a dotted name touches the world, files directly
 * under `src/` are wiring. Answers one sentence per breach.
 *
 *     importBreaches('src/factors/ols.ts', "import fs from 'node:fs';")
 *     // ['src/factors/ols.ts is pure by its name and imports node:fs']
 */
export function importBreaches(path: string, source: string): string[] {
  const place = placeOf(path);
  const refused = importsOf(source)
    .filter((found) => !allowed(path, place, found))
    .map(({ specifier }) => `${path} ${reasons[place]} and imports ${specifier}`);
  const provides = /\.provide\(/.test(code(source)) && path !== 'src/app.ts' && place !== 'migration';
  return [...refused, ...(provides ? [`${path} calls provide(), which only src/app.ts may`] : [])];
}

const reasons: Record<Place, string> = {
  machine: 'is a statechart',
  plain: 'is pure by its name',
  edge: 'is the edge of something else',
  wiring: 'only starts the app',
  migration: 'is a migration',
};

function placeOf(path: string): Place {
  if (path.startsWith('machines/')) return suffix(path) === 'script' ? 'edge' : 'machine';
  if (path.split('/').length === 2) return 'wiring';
  if (suffix(path) !== null) return 'edge';
  return path.startsWith('src/migrations/') ? 'migration' : 'plain';
}

function allowed(path: string, place: Place, { specifier, typeOnly }: Import): boolean {
  const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null;
  if (isClient(path)) return isForBrowsers(target, { specifier, typeOnly });
  if (target?.endsWith('.json')) return place === 'edge' || place === 'wiring';
  switch (place) {
    case 'machine':
      return target
        ? target.startsWith('machines/') && !isEdge(target)
        : ['xstate', 'xstate/graph', 'zod'].includes(specifier);
    case 'plain':
      return typeOnly ? allowedType(target) : target ? isPure(target) : pureLibraries.includes(specifier);
    case 'edge':
      return target ? reachable(path, target) : isOwnLibrary(path, specifier);
    case 'migration':
      return target ? target.startsWith('src/migrations/') : specifier === '@mikro-orm/migrations';
    case 'wiring':
      return (
        path !== 'src/main.ts' ||
        ['src/config/config.ts', 'src/serve.ts', 'src/kernel/errors.ts'].includes(target ?? '')
      );
  }
}

// Runs in browsers too: nothing of Node, nothing of the service but types, which are erased.
const isClient = (path: string) => path.startsWith('src/client/');
const isForBrowsers = (target: string | null, { specifier, typeOnly }: Import) =>
  target === null
    ? typeOnly && specifier === 'zod'
    : isClient(target) ||
      (typeOnly && (/^src\/(contract|api)\//.test(target) || placeOf(target) === 'machine'));

// A use case names the stores that it is handed, and a port the transaction that it takes: a type brings no code along.
const allowedType = (target: string | null) =>
  target === null || isPure(target) || isEdge(target) || sharedByEdges.includes(target);

const isPure = (target: string) =>
  (placeOf(target) === 'plain' && !isEdge(target)) || placeOf(target) === 'machine';

function reachable(path: string, target: string): boolean {
  const wiring = [...sharedByEdges, ...(ownWiring[suffix(path) ?? ''] ?? [])];
  if (isPure(target) || wiring.includes(target)) return true;
  // The command line speaks to the service as everybody does.
  if (isClient(target)) return feature(path) === 'src/cli';
  return isEdge(target) && feature(target) === feature(path);
}

function isOwnLibrary(path: string, specifier: string): boolean {
  const own = edges[suffix(path) ?? ''] ?? [];
  return (
    pureLibraries.includes(specifier) || own.some((name) => specifier === name || specifier.startsWith(name))
  );
}

const feature = (path: string) => path.split('/').slice(0, 2).join('/');
const isEdge = (path: string) => placeOf(path) === 'edge';

/** `store` of `price.store.ts`, null of `ols.ts`. */
function suffix(path: string): string | null {
  const parts = posix.basename(path).split('.');
  return parts.length > 2 ? parts.at(-2)! : null;
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

const linesMax = 300;

/** What no file may hold, whatever its place. */
export function fileBreaches(path: string, source: string): string[] {
  const text = code(source);
  const breaches: string[] = [];
  const lines = source.split('\n').length - 1;
  if (lines > linesMax) breaches.push(`${path} has ${lines} lines: look for the second subject inside`);
  if (/\b(TO-?DO|FIX-?ME)\b/.test(source)) breaches.push(`${path} leaves something to do`);
  if (/^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s+\w/m.test(text))
    breaches.push(`${path} declares an enum`);
  if (/^\s*(export\s+)?(declare\s+)?namespace\s+\w/m.test(text))
    breaches.push(`${path} declares a namespace`);
  return breaches;
}

const apart = /^test\/(contract|support|end-to-end)\/|^test\/house\.test\.ts$/;

/**
 * Whether a test's path mirrors a source: `test/factors/ols.test.ts` tests `src/factors/ols.ts`. A source with several
 * tests names the aspect behind itself: `ols.nist.test.ts`, `csv-limits.test.ts`.
 */
export function testBreaches(path: string, sources: readonly string[]): string[] {
  if (apart.test(path)) return [];
  const name = path.slice('test/'.length, -'.test.ts'.length);
  const source = name.startsWith('machines/') ? name : `src/${name}`;
  const mirrored = sources.some((one) => {
    const stem = one.slice(0, -'.ts'.length);
    return source === stem || source.startsWith(`${stem}.`) || source.startsWith(`${stem}-`);
  });
  return mirrored ? [] : [`${path} mirrors no source: expected ${source}.ts or a part of its name`];
}

/** The source without comments; import lines have no comment marks in their strings. */
function code(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

/** Words that we do not use, each with what to write instead: STYLE, English. */
const plainWords: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\bmend(s|ed|ing|able)?\b/i, 'fix'],
  [/\banew\b/i, 'again'],
  [/\bwho(so)?ever\b/i, 'each, every, or who it is'],
  [/\bheed(s|ed|ing)?\b/i, 'apply, follow'],
  [/\b(given|gave|gives) up\b/i, 'timed out, stopped, closed'],
  [/\bcame:/i, 'got:'],
  [/\btold\b/i, 'sent, notified, called'],
  [/\b(an?|and|its|no|the|their|with) cures?\b/i, 'how to fix it'], // `cure` is a field of the API
  [/\bnobody (knows|asked|reads)\b/i, 'unknown, unused'],
  [/\bbe it\b|\blest\b|\bthere(of|upon|from)\b/i, 'a plain clause'],
  [/\bcatalogues?\b/i, 'catalog'],
];

/** The lines of a file that use words which a colleague would not say. Answers one sentence per line. */
export function wordBreaches(path: string, text: string): string[] {
  return text.split('\n').flatMap((line, index) =>
    plainWords.flatMap(([pattern, instead]) => {
      const found = pattern.exec(line);
      return found ? [`${path}:${index + 1} says "${found[0]}": write ${instead}`] : [];
    }),
  );
}
