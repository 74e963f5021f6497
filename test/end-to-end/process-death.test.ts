import { cpSync, mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/database.ts';
import { startSymbolQueue } from '../../src/onboarding/symbol.queue.ts';
import { pgliteTemplate } from '../support/databases.ts';
import { temporaryDirectory } from '../support/directories.ts';
import { csvOf } from '../support/service.ts';
import { run, upload } from '../support/service-process.ts';

// What a first start leaves behind, made once: the others begin with a copy of it.
const made = mkdtempSync(join(tmpdir(), 'symbol-onboarding-test-'));
beforeAll(async () => {
  const loadDataDir = await openAsBlob(await pgliteTemplate());
  const database = await openDatabase({ databaseUrl: null, dataDir: made, fsync: false, loadDataDir });
  const queue = await startSymbolQueue(database, { log: () => {} });
  await queue.stop();
  await database.close();
});
afterAll(() => rmSync(made, { recursive: true, force: true }));

function dataDir(): string {
  const directory = temporaryDirectory();
  cpSync(made, directory, { recursive: true });
  return directory;
}

describe('a service whose disk refuses to flush the log', { timeout: 60_000 }, () => {
  test('ends and says so, instead of refusing every statement for ever', async () => {
    const directory = dataDir();
    const from = join(directory, 'disk-is-broken');
    const settings = {
      ...{ MARKET_DATA: 'simulated', DATA_DIR: directory, PORT: '0', FSYNC: 'on' },
      ...{ FAULT: 'refuse', FAULT_FROM: from, SHUTDOWN_GRACE_MS: '0' },
    };
    const service = run(settings, { preload: 'faulty-disk.ts' });
    const url = await service.url();
    await upload(url, csvOf('BEFORE'));
    writeFileSync(from, '');
    const { code, signal, err } = await service.closed;
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(err).toEqual([
      expect.stringMatching(/^The service cannot go on: the embedded database has stopped: could not fsync/),
    ]);
  });
});
