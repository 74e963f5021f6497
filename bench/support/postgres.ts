import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/open-database.ts';
import { startPostgres } from '../../test/support/postgres.ts';

export interface Server {
  /** Makes an empty database and answers its URL. */
  createDatabase(): Promise<string>;
  dropDatabase(url: string): Promise<void>;
  stop(): Promise<void>;
}

/** PostgreSQL as it comes out of the box: durable, nothing tuned. All contestants of a benchmark share one. */
export async function startServer(): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'symbol-onboarding-bench-'));
  chmodSync(directory, 0o755);
  const { url, stop } = await startPostgres(directory, {});
  const administer = async (statement: string) => {
    const admin = await openDatabase({ databaseUrl: `${url}postgres`, dataDir: null, fsync: false });
    try {
      await admin.sql(statement);
    } finally {
      await admin.close();
    }
  };
  return {
    async createDatabase() {
      const name = `bench_${randomBytes(6).toString('hex')}`;
      await administer(`create database ${name}`);
      return url + name;
    },
    dropDatabase: (database) => administer(`drop database ${database.slice(url.length)} with (force)`),
    async stop() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
