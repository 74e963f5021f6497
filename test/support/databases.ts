import { randomBytes } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { afterAll, describe, inject } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { openDatabase } from '../../src/open-database.ts';

export type DatabaseKind = 'pglite' | 'postgres';

/** Opens a fresh, migrated, empty database. It is closed and dropped at the end of the suite. */
export type MakeDatabase = () => Promise<Database>;

const kinds: Record<DatabaseKind, (disposals: Disposal[]) => Promise<Database>> = {
  pglite: makePglite,
  postgres: makePostgres,
};

/** Both kinds, for `test.each` and the like. */
export const databaseKinds = Object.keys(kinds) as DatabaseKind[];

type Disposal = () => Promise<void>;

/**
 * Runs a suite on PGlite and on PostgreSQL: `price store on pglite`, `price store on postgres`.
 *
 *     describeOnEveryDatabase('price store', (makeDatabase) => {
 *       let database: Database;
 *       beforeAll(async () => { database = await makeDatabase(); });
 *       test('keeps the later row of two', …);
 *     });
 */
export function describeOnEveryDatabase(
  title: string,
  suite: (makeDatabase: MakeDatabase, kind: DatabaseKind) => void,
): void {
  for (const kind of databaseKinds) describeOnDatabase(kind, title, suite);
}

/** The same on one kind: PGlite has a single connection, so a test that holds a transaction open needs PostgreSQL. */
export function describeOnDatabase(
  kind: DatabaseKind,
  title: string,
  suite: (makeDatabase: MakeDatabase, kind: DatabaseKind) => void,
): void {
  describe(`${title} on ${kind}`, () => {
    const disposals: Disposal[] = [];
    afterAll(async () => {
      for (const dispose of disposals.splice(0).reverse()) await dispose();
    });
    suite(() => kinds[kind](disposals), kind);
  });
}

/** The file of a migrated, empty PGlite: what `loadDataDir` takes. */
export async function pgliteTemplate(): Promise<string> {
  return (await ask<{ file: string }>('pglite')).file;
}

async function makePglite(disposals: Disposal[]): Promise<Database> {
  const loadDataDir = await openAsBlob(await pgliteTemplate());
  const database = await openDatabase({ databaseUrl: null, dataDir: null, fsync: false, loadDataDir });
  disposals.push(() => closed(database));
  return database;
}

async function makePostgres(disposals: Disposal[]): Promise<Database> {
  const { url, template } = await ask<{ url: string; template: string }>('postgres');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(url, `create database ${name} template ${template}`);
  const database = await openDatabase({ databaseUrl: url + name, dataDir: null, fsync: false });
  disposals.push(async () => {
    await closed(database);
    // Not by force: PostgreSQL waits 5 s for sessions to end, then the error counts those that a test left open.
    await administer(url, `drop database ${name}`);
  });
  return database;
}

const closeMaxMs = 20_000; // far less than a hook may take, so that the report says what hung

async function closed(database: Database): Promise<void> {
  const late = AbortSignal.timeout(closeMaxMs);
  const hung = new Promise<never>((_resolve, reject) => {
    late.onabort = () => reject(new Error('the database does not close: something still holds a connection'));
  });
  await Promise.race([database.close(), hung]);
}

async function administer(url: string, statement: string): Promise<void> {
  const admin = await openDatabase({ databaseUrl: `${url}postgres`, dataDir: null, fsync: false });
  try {
    await admin.sql(statement);
  } finally {
    await admin.close();
  }
}

async function ask<Answer>(kind: DatabaseKind): Promise<Answer> {
  const response = await fetch(`${inject('databaseHost')}/${kind}`);
  const answer = await response.text();
  if (!response.ok) throw new Error(`the ${kind} database of the tests did not start: ${answer}`);
  return JSON.parse(answer) as Answer;
}
