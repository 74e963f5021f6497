import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openAsBlob,
  readdirSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openPglite } from '../../../src/database/pglite/open.pglite.ts';
import { startChild } from '../../support/children.ts';
import { pgliteTemplate } from '../../support/databases.ts';
import { temporaryDirectory } from '../../support/directories.ts';

// From the template, a first start takes 1 s instead of 5. That initdb works is what the template was made with.
const loadDataDir = openAsBlob(await pgliteTemplate());

async function open(dataDir: string) {
  const database = await openPglite({ dataDir, fsync: false, loadDataDir: await loadDataDir });
  onTestFinished(() => database.close());
  return database;
}

async function openElsewhere(dataDir: string) {
  const child = startChild('embedded-process.ts', 'open', dataDir, await pgliteTemplate());
  expect(await child.line()).toBe('open');
  return child;
}

// A second start takes 0.3 s: tests that are not about the first one begin with a copy of its outcome.
let made: string;
beforeAll(async () => {
  made = mkdtempSync(join(tmpdir(), 'symbol-onboarding-test-'));
  const { pglite, close } = await openPglite({ dataDir: made, fsync: false, loadDataDir: await loadDataDir });
  await pglite.exec('create table kept (id int primary key)');
  await close();
});
afterAll(() => rmSync(made, { recursive: true, force: true }));

function madeDirectory(): string {
  const directory = temporaryDirectory();
  cpSync(made, directory, { recursive: true });
  return directory;
}

const ids = async ({ pglite }: Awaited<ReturnType<typeof open>>) =>
  (await pglite.query<{ id: number }>('select id from kept order by id')).rows.map(({ id }) => id);

describe('an embedded database', () => {
  test('makes its directory, parents included, and keeps what was written', async () => {
    const dataDir = join(temporaryDirectory(), 'deep', 'er');
    const first = await open(dataDir);
    await first.pglite.exec('create table kept (id int); insert into kept values (1)');
    await first.close();
    expect(readdirSync(dataDir).sort()).toEqual(['pglite', 'pglite.lock']);
    expect(await ids(await open(dataDir))).toEqual([1]);
  });

  test('closes once, however often it is asked to, and lets the next one in', async () => {
    const dataDir = madeDirectory();
    const first = await open(dataDir);
    await Promise.all([first.close(), first.close(), first[Symbol.asyncDispose]()]);
    expect(first.pglite.closed).toBe(true);
    await open(dataDir);
  });

  test('begins with what it is given to load, in memory too', async () => {
    const database = await openPglite({ dataDir: null, fsync: false, loadDataDir: await loadDataDir });
    expect((await database.pglite.query('select * from symbol_universe')).rows).toEqual([]);
    await database.close();
  });

  test('refuses a second process, which harms nothing', async () => {
    const dataDir = madeDirectory();
    const child = await openElsewhere(dataDir);
    const write = async (statement: string) => {
      child.write(statement);
      expect(await child.line()).toBe('done');
    };
    await write('insert into kept values (1)');
    await expect(open(dataDir)).rejects.toMatchObject({
      code: 'data_dir_in_use',
      message: expect.stringContaining(`is held by process ${child.pid} on `),
    });
    await write('insert into kept values (2)');
    await child.end();
    expect(await ids(await open(dataDir))).toEqual([1, 2]);
  });

  test('keeps every commit that was acknowledged before its process was killed', async () => {
    const dataDir = madeDirectory();
    const child = await openElsewhere(dataDir);
    for (let id = 1; id <= 500; id += 1) child.write(`insert into kept values (${id})`);
    for (let done = 0; done < 100; done += 1) await child.line();
    await child.kill(); // in the middle of the others
    const kept = await ids(await open(dataDir));
    expect(kept.length).toBeGreaterThanOrEqual(100);
    expect(kept).toEqual(kept.map((_id, index) => index + 1));
  });

  test('leaves a directory alone that holds something else', async () => {
    const dataDir = temporaryDirectory();
    mkdirSync(join(dataDir, 'pglite'));
    const letter = join(dataDir, 'pglite', 'letter.txt');
    writeFileSync(letter, 'dear friend');
    await expect(open(dataDir)).rejects.toMatchObject({ code: 'data_dir_unusable' });
    expect(readFileSync(letter, 'utf8')).toBe('dear friend');
    await expect(open(dataDir)).rejects.toMatchObject({ code: 'data_dir_unusable' }); // not: in use
  });

  test('says which directory it is where it cannot be made', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    await expect(open(join(file, 'data'))).rejects.toMatchObject({
      code: 'data_dir_unusable',
      message: expect.stringContaining(join(file, 'data')),
    });
  });

  // Where nothing can be made, Node's recursive mkdir span for ever, deaf to every signal.
  test.runIf(process.platform === 'linux')('says so as well below /proc, at once', async () => {
    await expect(open('/proc/symbol-onboarding/data')).rejects.toMatchObject({
      code: 'data_dir_unusable',
      message: expect.stringContaining('/proc/symbol-onboarding'),
    });
  });
});

describe('a first start on a machine that had one before', () => {
  const keptAt = () => join(temporaryDirectory(), 'cache', 'version-1');
  /** Opens a new directory; answers how often its schema was made for that. */
  async function first(at: string) {
    let made = 0;
    const prepare = async (pglite: PGlite) => {
      made += 1;
      await pglite.exec('create table kept (id int primary key)');
    };
    const options = { dataDir: temporaryDirectory(), fsync: false, loadDataDir: await loadDataDir };
    const database = await openPglite({ ...options, prepared: { keptAt: at, prepare } });
    onTestFinished(() => database.close());
    return { ...database, made };
  }

  test('copies what that one had made, and shares nothing with it', async () => {
    const at = keptAt();
    mkdirSync(join(at, '..', 'version-0'), { recursive: true });
    const one = await first(at);
    await one.pglite.exec('insert into kept values (1)');
    const other = await first(at);
    expect([one.made, other.made]).toEqual([1, 0]);
    expect([await ids(one), await ids(other)]).toEqual([[1], []]);
    expect(readdirSync(join(at, '..'))).toEqual(['version-1']);
  });

  test('makes its own where nothing can be kept', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const database = await first(join(file, 'version-1'));
    expect([database.made, await ids(database)]).toEqual([1, []]);
  });
});

// What exists below the data directory at the moment of the kill.
const moments = [
  'pglite.init',
  'pglite.init/base',
  'pglite.init/PG_VERSION',
  'pglite.init/postmaster.pid',
  'pglite',
];

describe('a first start that was killed', () => {
  const soaking = Boolean(process.env.SOAK);
  const killed = soaking ? moments : ['pglite.init/PG_VERSION', 'pglite'];

  test.each(killed)('when %s appeared leaves a directory that opens', async (moment) => {
    const dataDir = temporaryDirectory();
    const child = startChild('embedded-process.ts', 'open', dataDir, await pgliteTemplate());
    await appears(dataDir, moment);
    await child.kill();

    const database = await open(dataDir);
    await database.pglite.exec('create table kept (id int); insert into kept values (7)');
    expect(await ids(database)).toEqual([7]);
    expect(existsSync(join(dataDir, 'pglite.init'))).toBe(false);
  });

  // Without a template: a whole cluster has about a thousand entries, and it was killed at one of these.
  const entries = soaking ? Array.from({ length: 20 }, (_, n) => n * 50) : [500];

  test.each(entries)(
    'in a real initdb, at %i entries, leaves a directory that opens',
    async (count) => {
      const dataDir = temporaryDirectory();
      const child = startChild('embedded-process.ts', 'open', dataDir);
      await appears(dataDir, 'pglite.init', count);
      await child.kill();
      const { pglite, close } = await openPglite({ dataDir, fsync: false });
      expect((await pglite.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      await close();
    },
    120_000,
  );
});

/** Resolves as soon as `path` is there with at least `entries` in it: told by the kernel, not by a clock. */
async function appears(dataDir: string, path: string, entries = 0): Promise<void> {
  const there = () =>
    existsSync(join(dataDir, path)) &&
    (entries === 0 || readdirSync(join(dataDir, path), { recursive: true }).length >= entries);
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => there() && resolve();
  const watchers = new Map<string, ReturnType<typeof watch>>();
  const follow = (directory: string) => {
    if (watchers.has(directory) || !existsSync(directory)) return;
    watchers.set(
      directory,
      watch(directory, { recursive: entries > 0 }, () => {
        follow(join(dataDir, 'pglite.init'));
        look();
      }),
    );
  };
  follow(dataDir);
  follow(join(dataDir, 'pglite.init'));
  look();
  await promise;
  for (const watcher of watchers.values()) watcher.close();
}
