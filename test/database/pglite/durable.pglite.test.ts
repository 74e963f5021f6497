import fs, { mkdtempSync, openAsBlob, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openPglite } from '../../../src/database/pglite/open.pglite.ts';
import { pgliteTemplate } from '../../support/databases.ts';
import { temporaryDirectory } from '../../support/directories.ts';

const loadDataDir = openAsBlob(await pgliteTemplate());

async function opened({ fsync, dataDir = temporaryDirectory() }: { fsync: boolean; dataDir?: string }) {
  const database = await openPglite({ dataDir, fsync, loadDataDir: await loadDataDir });
  onTestFinished(() => database.close());
  await database.pglite.exec('create table if not exists kept (id int)');
  return { ...database, dataDir };
}

/** What the process does to its files from now on. */
function watched(): string[] {
  const events: string[] = [];
  const { writeSync, fsyncSync } = fs;
  vi.spyOn(fs, 'writeSync').mockImplementation(((...call: Parameters<typeof writeSync>) => {
    events.push('write');
    return writeSync(...call);
  }) as typeof writeSync);
  vi.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => {
    events.push(fs.fstatSync(descriptor).isDirectory() ? 'flush directory' : 'flush');
    fsyncSync(descriptor);
  });
  return events;
}

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

describe('with fsync', () => {
  let shared: Awaited<ReturnType<typeof openPglite>>;
  let pglite: PGlite;
  const dataDir = mkdtempSync(join(tmpdir(), 'symbol-onboarding-test-'));
  const onPanic = vi.fn();
  beforeAll(async () => {
    shared = await openPglite({ dataDir, fsync: true, loadDataDir: await loadDataDir, onPanic });
    ({ pglite } = shared);
    await pglite.exec('create table kept (id int); insert into kept values (0)');
  });
  afterAll(async () => {
    await shared.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('a commit is written, then flushed, then acknowledged', async () => {
    const events = watched();
    for (let id = 1; id <= 20; id += 1) {
      events.length = 0;
      await pglite.query('insert into kept values ($1)', [id]);
      expect(events).toContain('flush');
      expect(events.lastIndexOf('write')).toBeLessThan(events.lastIndexOf('flush'));
    }
  });

  test('a transaction is flushed once, and a reader not at all', async () => {
    const events = watched();
    await pglite.transaction(async (tx) => {
      for (let id = 1; id <= 50; id += 1) await tx.query('insert into kept values ($1)', [id]);
      expect(events).not.toContain('flush');
    });
    expect(events.filter((event) => event === 'flush')).toHaveLength(1);
    events.length = 0;
    await pglite.query('select * from kept');
    expect(events).toEqual([]);
  });

  test('a checkpoint flushes the directories in which it made files', async () => {
    const events = watched();
    await pglite.exec('create table other (id int); checkpoint');
    expect(events).toContain('flush directory');
  });

  // Last of those that share the instance. An fsync that failed once may succeed the next time without having written
  // anything, so PostgreSQL stops there, and so must everything on it.
  test('nothing is acknowledged any more once the disk refused, and all that was before is there', async () => {
    vi.spyOn(fs, 'fsyncSync').mockImplementation(() => {
      throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
    });
    await expect(pglite.query('insert into kept values (-1)')).rejects.toThrow();
    vi.restoreAllMocks();
    await expect(pglite.query('insert into kept values (-2)')).rejects.toMatchObject({ severity: 'PANIC' });
    const more = pglite.transaction((tx) => tx.query('insert into kept values (-3)'));
    await expect(more).rejects.toMatchObject({ code: '58030' });
    expect(onPanic).toHaveBeenCalledOnce();
    await shared.close();

    const again = await opened({ fsync: true, dataDir });
    const kept = (await again.pglite.query<{ id: number }>('select id from kept order by id')).rows;
    expect(kept.map(({ id }) => id)).toEqual(expect.arrayContaining([0, 1, 20]));
    expect(kept.filter(({ id }) => id < -1)).toEqual([]);
  });

  test('a first start is flushed before it is published, and so is its publication', async () => {
    const events: string[] = [];
    const handle = await open(import.meta.filename);
    const { sync } = handle;
    const { renameSync } = fs;
    vi.spyOn(Object.getPrototypeOf(handle), 'sync').mockImplementation(function (this: typeof handle) {
      events.push('flush');
      return sync.call(this);
    });
    await handle.close();
    vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
      if (String(from).endsWith('pglite.init')) events.push('publish');
      renameSync(from, to);
    });
    syncBuiltinESMExports();

    await opened({ fsync: true });
    const published = events.indexOf('publish');
    expect(published).toBeGreaterThan(900); // about a thousand files and directories
    expect(events.slice(published)).toEqual(['publish', 'flush']);
  });
});

describe('without fsync', () => {
  test('nothing is flushed', async () => {
    const events = watched();
    const { pglite } = await opened({ fsync: false });
    await pglite.query('insert into kept values (1)');
    await pglite.exec('checkpoint');
    expect(events).toContain('write');
    expect(events.filter((event) => event !== 'write')).toEqual([]);
  });
});
