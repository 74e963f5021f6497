import { AsyncLocalStorage } from 'node:async_hooks';
import type { PGlite } from '@electric-sql/pglite';
import { MikroORM, type Options } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { ormConfig } from '../../mikro-orm.config.ts';
import { AppError } from '../kernel/errors.ts';
import { migrations } from '../migrations/index.ts';
import { countWrite } from '../trace-context.ts';
import { advisoryLocks } from './advisory-locks.ts';
import { classified } from './classify-error.ts';
import { type EmbeddedDatabase, type EmbeddedOptions, openPglite } from './pglite/open.pglite.ts';

type Orm = MikroORM<AbstractSqlDriver, SqlEntityManager<AbstractSqlDriver>>;
type Em = SqlEntityManager<AbstractSqlDriver>;

export interface DatabaseOptions {
  /** PostgreSQL, or null for embedded PGlite. */
  databaseUrl: string | null;
  /** Where PGlite keeps its data; null keeps it in memory. */
  dataDir: string | null;
  /** Embedded only: flush every commit to disk. */
  fsync: boolean;
  /** Embedded only: a dumped data directory to start from. */
  loadDataDir?: Blob;
  /** Embedded only: where a new database is kept once it is migrated, and copied from if it is. */
  templateAt?: string;
  /** Embedded only: told when the first start makes a database. */
  logger?: EmbeddedOptions['logger'];
  /** Embedded only: told when PostgreSQL has stopped for good. */
  onPanic?: EmbeddedOptions['onPanic'];
}

declare const opaque: unique symbol;
/** An open transaction. Ports pass it along as `{ on }`; only stores and the symbol queue look inside. */
export interface Transaction {
  readonly [opaque]: true;
}

export interface Database {
  readonly orm: Orm;
  /** The embedded instance, or null on PostgreSQL. */
  readonly pglite: PGlite | null;
  readonly databaseUrl: string | null;
  /** Embedded: whether this process still keeps others out of the data directory. Null where there is none. */
  readonly holdsDirectory: (() => boolean) | null;
  /**
   * Runs `work` in one transaction. A deadlock, a lock timeout or a serialization failure is tried again, twice:
   * `work` must have no effect outside the database. `rollback(answer)` undoes everything and still answers: a
   * refusal is not an exception.
   *
   * Throws retryable `database_unavailable` (with `retryAt`) and `database_conflict`; `internal_error` inside another
   * transaction, which it would wait for.
   */
  transaction<T>(work: (on: Transaction, rollback: (answer: T) => never) => Promise<T>): Promise<T>;
  /** One statement with `$1` parameters, in the transaction or on its own. Dates and numerics come as strings. */
  sql<Row = Record<string, unknown>>(
    text: string,
    parameters?: readonly unknown[],
    options?: StatementOptions,
  ): Promise<Row[]>;
  migrate(): Promise<void>;
  close(): Promise<void>;
}

export interface StatementOptions {
  on?: Transaction | undefined;
  /**
   * Each connection parses and plans it once: for the statements that run all the time. Name the columns
   * that it answers: after a migration a prepared `select *` fails.
   */
  prepared?: boolean;
}

class Rollback extends Error {
  readonly answer: unknown;
  constructor(answer: unknown) {
    super('rolled back on purpose');
    this.answer = answer;
  }
}

/** Opens the database; it is ready for `migrate`. Throws `data_dir_in_use` where another process holds it. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, templateAt } = options;
  const prepared = templateAt === undefined ? undefined : { keptAt: templateAt, prepare: migrateNew };
  const embedded = databaseUrl === null ? await openPglite({ ...options, prepared }) : null;
  try {
    return databaseOf(await openOrm(databaseUrl, embedded?.pglite ?? null), embedded, databaseUrl);
  } catch (error) {
    await embedded?.close();
    throw error;
  }
}

async function openOrm(databaseUrl: string | null, pglite: PGlite | null): Promise<Orm> {
  const driver = pglite ? { driverOptions: { pglite } } : {};
  return (await MikroORM.init({ ...ormConfig(databaseUrl), ...driver } as Options)) as unknown as Orm;
}

async function migrateNew(pglite: PGlite): Promise<void> {
  const orm = await openOrm(null, pglite);
  await migrate(orm).finally(() => orm.close(true));
}

function databaseOf(orm: Orm, embedded: EmbeddedDatabase | null, databaseUrl: string | null): Database {
  return {
    orm,
    pglite: embedded?.pglite ?? null,
    databaseUrl,
    holdsDirectory: embedded?.holdsDirectory ?? null,
    transaction: (work) => transaction(orm, work),
    sql: async <Row>(
      text: string,
      parameters: readonly unknown[] = [],
      { on, prepared = false }: StatementOptions = {},
    ) => {
      if (!on) refuseInsideTransaction(orm, text);
      try {
        const statement = prepared ? named(text) : text;
        const { rows } = await kysely(orm, on).executeQuery(rawQuery(statement, parameters));
        countWrite(text);
        return rows as Row[];
      } catch (error) {
        throw on ? error : classified(error);
      }
    },
    async migrate() {
      if (!(await isMigrated(orm))) await migrate(orm);
    },
    async close() {
      await orm.close(true);
      await embedded?.close();
    },
  };
}

/** What a `Transaction` is inside. */
interface Open {
  orm: Orm;
  kysely: KyselyLike;
  em?: Em;
}
const opened = (on: Transaction) => on as unknown as Open;

/** The entity manager of a transaction, for stores. What they persist, they flush. */
export function entityManager(on: Transaction): Em {
  const open = opened(on);
  if (!open.em) {
    // Few transactions want one, and it would be 0.1 of the 0.25 ms of processor time that an empty one takes.
    open.em = open.orm.em.fork();
    open.em.setTransactionContext(open.kysely);
  }
  return open.em;
}

/** The Kysely transaction behind `on`: what pg-boss writes through. */
export function kyselyTransaction(on: Transaction): KyselyLike {
  return opened(on).kysely;
}

interface KyselyLike {
  executeQuery(query: { sql: string | Named; parameters: readonly unknown[] }): Promise<{ rows: unknown[] }>;
}

function kysely(orm: Orm, on: Transaction | undefined): KyselyLike {
  return on ? kyselyTransaction(on) : (orm.driver.getConnection().getClient() as unknown as KyselyLike);
}

/** What the driver prepares under a name, which Kysely hands on to it as it is. */
interface Named {
  name: string;
  text: string;
}

const names = new Map<string, Named>();

function named(text: string): Named {
  const known = names.get(text) ?? { name: `statement_${names.size + 1}`, text };
  names.set(text, known);
  return known;
}

// MikroORM's own `execute` writes parameters into the text; this sends them beside it.
function rawQuery(sql: string | Named, parameters: readonly unknown[]) {
  return { sql, parameters, query: { kind: 'RawNode' }, queryId: { queryId: 'raw' } };
}

const conflictRetries = 2; // a victim of a deadlock wins at the next try; a third failure is worth a look

async function transaction<T>(
  orm: Orm,
  work: (on: Transaction, rollback: (answer: T) => never) => Promise<T>,
): Promise<T> {
  refuseInsideTransaction(orm, 'a transaction of its own');
  const rollback = (answer: T): never => {
    throw new Rollback(answer);
  };
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await marked(orm, () =>
        orm.driver.getConnection().transactional((kysely) => {
          const open: Open = { orm, kysely: kysely as unknown as KyselyLike };
          return work(open as unknown as Transaction, rollback);
        }),
      );
    } catch (error) {
      if (error instanceof Rollback) return error.answer as T;
      const failure = classified(error);
      const again = failure instanceof AppError && failure.code === 'database_conflict';
      if (!again || attempt >= conflictRetries) throw failure;
    }
  }
}

// PGlite has one connection, and a pool of PostgreSQL may have none left: what is not part of the open transaction
// would wait for that very transaction, for ever.
function refuseInsideTransaction(orm: Orm, what: string): void {
  const open = openTransaction.getStore();
  if (!open?.isOpen || open.orm !== orm) return;
  const got = what.trim().slice(0, 80);
  throw new AppError('internal_error', `Expected { on } of the open transaction, got: ${got}`);
}

/** Whether whoever asks runs in a transaction that is open. */
export function isInsideTransaction(): boolean {
  return openTransaction.getStore()?.isOpen ?? false;
}

// Work that a transaction starts may outlive it: then it is no part of it any more.
const openTransaction = new AsyncLocalStorage<{ orm: Orm; isOpen: boolean }>();

async function marked<T>(orm: Orm, run: () => Promise<T>): Promise<T> {
  const mark = { orm, isOpen: true };
  return openTransaction.run(mark, run).finally(() => {
    mark.isOpen = false;
  });
}

// Most starts find nothing to do, and the migrator needs a tenth of an embedded start to find that out.
async function isMigrated(orm: Orm): Promise<boolean> {
  const read = async <Row>(text: string) =>
    (await kysely(orm, undefined).executeQuery(rawQuery(text, []))).rows as Row[];
  const [table] = await read<{ found: boolean }>(
    `select to_regclass('mikro_orm_migrations') is not null as found`,
  );
  if (!table!.found) return false;
  const applied = await read<{ name: string }>('select name from mikro_orm_migrations');
  return migrations.every(({ name }) => applied.some((one) => one.name === name));
}

// The migrator has no lock of its own: nodes that start together would create the same tables twice.
async function migrate(orm: Orm): Promise<void> {
  const native: unknown = await (
    orm.driver.getConnection() as unknown as { getNativeClient(): Promise<unknown> }
  ).getNativeClient();
  if (!isPool(native)) return void (await orm.migrator.up());
  const client = await native.connect();
  try {
    await client.query('set lock_timeout = 0');
    await client.query(`select pg_advisory_lock(${advisoryLocks.migration})`);
    await orm.migrator.up();
  } finally {
    await client.query(`select pg_advisory_unlock(${advisoryLocks.migration})`).catch(() => {});
    client.release(true);
  }
}

interface Pool {
  connect(): Promise<{ query(text: string): Promise<unknown>; release(destroy: boolean): void }>;
}
const isPool = (native: unknown): native is Pool => typeof (native as Pool | null)?.connect === 'function';
