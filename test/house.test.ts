import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileBreaches, floors, importBreaches, testBreaches } from './support/house.ts';
import { folderCircles, importsOf, namesakes } from './support/imports.ts';
import { wordBreaches } from './support/plain-words.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const list = (pattern: string) => globSync(pattern, { cwd: root, exclude: ['**/node_modules'] }).sort();
const sources = list('{machines,src}/**/*.ts');
const inWords = ['{bin,machines,src}/**/*.{js,ts}', '{.,docs,machines}/*.md'];

describe('the house', () => {
  test('has its files', () => {
    expect(sources.length).toBeGreaterThan(50);
  });

  test('tells from the name of a file what it may import', () => {
    expect(sources.flatMap((path) => importBreaches(path, read(path)))).toEqual([]);
  });

  test('has a floor for each feature, and no two folders that import each other', () => {
    const features = new Set(
      sources
        .map((path) => path.split('/'))
        .map(([top, one, file]) => (top === 'machines' ? top : file && one)),
    );
    expect([...features].filter((one) => one !== undefined && !floors.includes(one))).toEqual([]);
    expect(folderCircles(sources, read)).toEqual([]);
  });

  test('has no two files of one name', () => {
    expect(namesakes(sources)).toEqual([]);
  });

  test('keeps files short, finished and free of what Node cannot erase', () => {
    const all = [...sources, ...list('{test,bench}/**/*.ts'), ...list('*.ts')];
    expect(all.flatMap((path) => fileBreaches(path, read(path)))).toEqual([]);
  });

  test.each(inWords)('says %s in plain words', (pattern) => {
    const paths = list(pattern).filter((path) => !path.startsWith('src/migrations/'));
    expect(paths.length).toBeGreaterThan(0);
    expect(paths.flatMap((path) => wordBreaches(path, read(path)))).toEqual([]);
  });

  test('mirrors its sources in its tests', () => {
    expect(list('test/**/*.test.ts').flatMap((path) => testBreaches(path, sources))).toEqual([]);
  });
});

describe('importBreaches', () => {
  const breach = (path: string, specifier: string, clause = '{ x }') =>
    importBreaches(path, `import ${clause} from '${specifier}';\n`).length > 0;

  test.each([
    ['machines/job.ts', 'xstate'],
    ['machines/job.ts', './protocol.ts'],
    ['src/diagrams/diagrams.script.ts', 'node:fs'],
    ['src/diagrams/diagrams.script.ts', '../../machines/job.ts'],
    ['src/factors/ols.ts', 'ml-matrix'],
    ['src/factors/ols.ts', '../market/proxy-set.ts'],
    ['src/factors/ols.ts', '../kernel/errors.ts'],
    ['src/factors/ols.ts', '../kernel/clock.ts'],
    ['src/onboarding/phases.ts', '../../machines/protocol.ts'],
    ['src/market/price.store.ts', '@mikro-orm/core'],
    ['src/market/price.store.ts', './price.entity.ts'],
    ['src/market/price.store.ts', '../database/database.orm.ts'],
    ['src/market/price.store.ts', '../kernel/system.clock.ts'],
    ['src/factors/exposure.store.ts', '../market/proxy-set.ts'],
    ['src/market/yahoo/yahoo.provider.ts', 'yahoo-finance2'],
    ['src/onboarding/claims/symbol.queue.ts', 'pg-boss'],
    ['src/api/feed/live.socket.ts', '@fastify/websocket'],
    ['src/contract/schemas/feed-frames.ts', 'zod'],
    ['src/app.ts', './market/price.store.ts'],
    ['src/main.ts', './serve.ts'],
    ['src/cli/upload.command.ts', 'commander'],
    ['src/onboarding/stately.inspector.ts', '@statelyai/inspect'],
    ['src/cli/progress.terminal.ts', 'log-update'],
  ])('lets %s import %s', (path, specifier) => {
    expect(breach(path, specifier)).toBe(false);
  });

  test.each([
    ['machines/job.ts', 'node:fs'],
    ['machines/job.ts', 'big.js'],
    ['machines/job.ts', '../src/kernel/errors.ts'],
    ['machines/job.ts', '../src/diagrams/diagram.ts'],
    ['src/factors/ols.ts', 'node:fs'],
    ['src/factors/ols.ts', 'fastify'],
    ['src/factors/ols.ts', './exposure.store.ts'],
    ['src/factors/ols.ts', '../kernel/system.clock.ts'],
    ['src/factors/ols.ts', '../database/database.orm.ts'],
    ['src/factors/ols.ts', '../contract/schemas.ts'],
    ['src/market/price.store.ts', '../factors/factor-catalog.ts'],
    ['src/factors/ols.ts', '../app.ts'],
    ['src/market/price.store.ts', 'fastify'],
    ['src/market/price.store.ts', 'yahoo-finance2'],
    ['src/market/price.store.ts', '../portfolio/portfolio.store.ts'],
    ['src/market/price.store.ts', '../portfolio/portfolio.entity.ts'],
    ['src/market/price.store.ts', '../app.ts'],
    ['src/market/yahoo/yahoo.provider.ts', '@mikro-orm/core'],
    ['src/market/price.gadget.ts', '@mikro-orm/core'],
    ['src/api/routes/portfolio.routes.ts', '../../portfolio/portfolio.store.ts'],
    ['src/main.ts', './market/price.store.ts'],
    ['src/main.ts', 'fastify'],
    ['src/cli/upload.command.ts', '../app.ts'],
    ['src/api/inspector/bridge.browser.ts', 'node:fs'],
  ])('does not let %s import %s', (path, specifier) => {
    expect(breach(path, specifier)).toBe(true);
  });

  test('lets a pure file name the types of its edges, and a statechart not even those', () => {
    expect(
      breach('src/onboarding/job/ports.ts', '../../database/database.orm.ts', 'type { Transaction }'),
    ).toBe(false);
    expect(breach('src/onboarding/phases.ts', '../market/price.store.ts', '{ type PriceStore }')).toBe(false);
    expect(breach('src/onboarding/phases.ts', '../market/price.store.ts', '{ type PriceStore, x }')).toBe(
      true,
    );
    expect(breach('src/onboarding/phases.ts', '../market/price.store.ts', 'type { PriceStore }')).toBe(false);
    expect(breach('src/onboarding/phases.ts', '../app.ts', 'type { App }')).toBe(true);
    expect(breach('src/market/price.store.ts', '../portfolio/portfolio.store.ts', 'type { A }')).toBe(true);
    expect(breach('machines/job.ts', '../src/kernel/clock.ts', 'type { Clock }')).toBe(true);
  });

  test('lets no import run upward, not even of a type', () => {
    const upward = (path: string, specifier: string) =>
      importBreaches(path, `import type { X } from '${specifier}';\n`);
    expect(upward('src/portfolio/lots.ts', '../market/symbol.ts')).toEqual([]);
    expect(upward('src/market/symbol.ts', '../portfolio/lots.ts')).toEqual([
      'src/market/symbol.ts imports ../portfolio/lots.ts, which stands above it',
    ]);
    expect(upward('src/market/symbol.ts', '../trace-context.ts')).toHaveLength(2);
  });

  test('keeps all of Node and of the service out of what browsers load', () => {
    const path = 'src/client/feed.client.ts';
    expect(breach(path, './client-errors.ts')).toBe(false);
    expect(breach(path, '../contract/schemas.ts', 'type { Frame }')).toBe(false);
    expect(breach(path, 'zod', 'type { z }')).toBe(false);
    expect(breach('src/cli/service.client.ts', '../client/http.client.ts')).toBe(false);
    expect(breach(path, '../contract/schemas.ts')).toBe(true);
    expect(breach(path, '../api/feed/frames.ts')).toBe(true);
    expect(breach(path, '../kernel/errors.ts')).toBe(true);
    expect(breach(path, 'node:events')).toBe(true);
    expect(breach(path, 'zod')).toBe(true);
    expect(breach('src/market/yahoo/yahoo.provider.ts', '../../client/http.client.ts')).toBe(true);
  });

  test('finds every way to name a module, and none in a comment', () => {
    const source = `
      import 'node:fs';
      import { a,
        b } from 'two';
      import three, * as four from 'three';
      export * from 'five';
      export type { Six } from 'six';
      const seven = await import('seven');
      // import { eight } from 'eight';
      /* import { nine } from 'nine'; */
    `;
    const named = importsOf(source).map(({ specifier }) => specifier);
    expect(named.sort()).toEqual(['five', 'node:fs', 'seven', 'six', 'three', 'two']);
  });

  test('lets nobody but the composition root provide a machine with its actors', () => {
    const source = 'const machine = jobMachine.provide({});';
    expect(importBreaches('src/app.ts', source)).toEqual([]);
    expect(importBreaches('src/onboarding/phases.ts', source)).toEqual([
      'src/onboarding/phases.ts calls provide(), which only src/app.ts may',
    ]);
  });
});

describe('folderCircles and namesakes', () => {
  test('find folders that import each other, whatever lies between, and names that two files share', () => {
    const files: Record<string, string> = {
      'src/a/one.ts': "import type { X } from '../b/two.ts';",
      'src/b/two.ts': "import { y } from '../c/three.ts';",
      'src/c/three.ts': "import { z } from '../a/other.ts';",
      'src/a/other.ts': '',
      'src/d/ones.ts': "import { x } from '../a/one.ts';",
    };
    const paths = Object.keys(files);
    expect(folderCircles(paths, (path) => files[path]!)).toEqual([['src/a', 'src/b', 'src/c']]);
    expect(namesakes(paths)).toEqual([['src/a/one.ts', 'src/d/ones.ts']]);
  });
});

describe('fileBreaches', () => {
  test('are a 301st line, something left to do, an enum and a namespace', () => {
    expect(fileBreaches('a.ts', '\n'.repeat(300))).toEqual([]);
    expect(fileBreaches('a.ts', '\n'.repeat(301))).toEqual([
      'a.ts has 301 lines: look for the second subject inside',
    ]);
    expect(fileBreaches('a.ts', `// ${'TO'}DO: later\n`)).toEqual(['a.ts leaves something to do']);
    expect(fileBreaches('a.ts', 'export const enum Color { Red }\n')).toEqual(['a.ts declares an enum']);
    expect(fileBreaches('a.ts', 'declare namespace Old {}\n')).toEqual(['a.ts declares a namespace']);
    expect(fileBreaches('a.ts', '// an enum Color\nconst namespace = 1;\n')).toEqual([]);
  });
});

describe('wordBreaches', () => {
  test('are the words of a private vocabulary, each with what to write instead', () => {
    expect(wordBreaches('a.ts', '// Sent again.\n// Whoever asks is told anew.\n')).toEqual([
      'a.ts:2 says "anew": write again',
      'a.ts:2 says "Whoever": write each, every, or who it is',
      'a.ts:2 says "told": write sent, notified, called',
    ]);
    expect(wordBreaches('a.ts', 'expected a number, came: x')).toEqual(['a.ts:1 says "came:": write got:']);
    expect(wordBreaches('a.ts', "cure: finding.cure ?? 'We recommend and amend it.'")).toEqual([]);
  });
});

describe('testBreaches', () => {
  const known = ['src/factors/ols.ts', 'src/market/yahoo.provider.ts', 'machines/job.ts'];

  test.each([
    'test/factors/ols.test.ts',
    'test/factors/ols.nist.test.ts',
    'test/machines/job.paths.test.ts',
    'test/market/yahoo.provider.test.ts',
    'test/support/clock.test.ts',
    'test/port-contracts/provider.yahoo.test.ts',
  ])('are not %s', (path) => {
    expect(testBreaches(path, known)).toEqual([]);
  });

  test.each(['test/factors/nist.test.ts', 'test/ols.test.ts', 'test/machines/ols.test.ts'])(
    'are %s',
    (path) => {
      expect(testBreaches(path, known)).toHaveLength(1);
    },
  );
});
