import { posix } from 'node:path';
import { code, type Import, importsOf, targetOf } from './imports.ts';

/**
 * The features from the ground up. A file imports from its own feature and from those that stand before it here, types
 * included. Files directly under `src/` are wiring: they stand on top, and no feature imports them.
 */
export const floors = [
  ...[
    'kernel',
    'machines',
    'diagrams',
    'migrations',
    'database',
    'market',
    'factors',
    'contract',
    'portfolio',
  ],
  ...[
    'universe',
    'onboarding',
    'import',
    'upload',
    'api',
    'config',
    'metrics',
    'health',
    'upkeep',
    'diagnosis',
  ],
  ...['client', 'cli'],
];

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
  orm: [...database, '@electric-sql/pglite', ...files],
  clock: files,
  pool: ['pg'],
  pglite: ['@electric-sql/', 'pg-boss', ...files],
  lock: files,
  probe: [...files, ...database],
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

type Place = 'machine' | 'plain' | 'edge' | 'wiring' | 'migration';

/**
 * Where a source breaks HOUSE's rules: a plain file name is pure, a dotted name touches the world, files directly under
 * `src/` are wiring, and imports run downward. Answers one sentence per breach.
 *
 *     importBreaches('src/factors/ols.ts', "import fs from 'node:fs';")
 *     // ['src/factors/ols.ts is pure by its name and imports node:fs']
 */
export function importBreaches(path: string, source: string): string[] {
  const place = placeOf(path);
  const found = importsOf(source);
  const refused = found
    .filter((one) => !allowed(path, place, one))
    .map(({ specifier }) => `${path} ${reasons[place]} and imports ${specifier}`);
  const upward = found
    .filter(({ specifier }) => isUpward(path, targetOf(path, specifier)))
    .map(({ specifier }) => `${path} imports ${specifier}, which stands above it`);
  const provides = /\.provide\(/.test(code(source)) && path !== 'src/app.ts' && place !== 'migration';
  const wires = provides ? [`${path} calls provide(), which only src/app.ts may`] : [];
  return [...refused, ...upward, ...wires];
}

const reasons: Record<Place, string> = {
  machine: 'is a statechart',
  plain: 'is pure by its name',
  edge: 'is the edge of something else',
  wiring: 'only starts the app',
  migration: 'is a migration',
};

function placeOf(path: string): Place {
  if (path.startsWith('machines/')) return 'machine';
  if (path.split('/').length === 2) return 'wiring';
  if (suffix(path) !== null) return 'edge';
  return path.startsWith('src/migrations/') ? 'migration' : 'plain';
}

function isUpward(path: string, target: string | null): boolean {
  const from = floorOf(path);
  if (target === null || from === null || target.endsWith('.json')) return false;
  const to = floorOf(target);
  return to === null || floors.indexOf(to) > floors.indexOf(from);
}

/** The feature that a file belongs to; null where it is wiring. */
function floorOf(path: string): string | null {
  if (path.startsWith('machines/')) return 'machines';
  const [, feature, file] = path.split('/');
  return file === undefined ? null : feature!;
}

function allowed(path: string, place: Place, { specifier, typeOnly }: Import): boolean {
  const target = targetOf(path, specifier);
  if (isClient(path)) return isForBrowsers(target, { specifier, typeOnly });
  if (target?.endsWith('.json')) return place !== 'machine';
  switch (place) {
    case 'machine':
      return target ? target.startsWith('machines/') : ['xstate', 'xstate/graph', 'zod'].includes(specifier);
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
const allowedType = (target: string | null) => target === null || isPure(target) || isEdge(target);

const isPure = (target: string) =>
  ['plain', 'machine', 'migration'].includes(placeOf(target)) && !isEdge(target);

function reachable(path: string, target: string): boolean {
  // Every edge may ask the clock and join a transaction; the command line speaks to the service as everybody does.
  if (isPure(target) || /^src\/(kernel|database)\//.test(target)) return true;
  return (
    isEdge(target) && (feature(target) === feature(path) || (isClient(target) && feature(path) === 'src/cli'))
  );
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

const apart = /^test\/(port-contracts|support|end-to-end)\/|^test\/house\.test\.ts$/;

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
