import { AsyncLocalStorage } from 'node:async_hooks';
import type { PGlite } from '@electric-sql/pglite';
import { MikroORM, type Options } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { AppError } from '../kernel/errors.ts';
import { migrations } from '../migrations/index.ts';
import { advisoryLocks } from './advisory-locks.ts';
import { classified } from './classify-error.ts';
import { type EmbeddedDatabase, type EmbeddedOptions, openPglite } from './pglite/open.pglite.ts';
import { isOutdated, type Named, named } from './statement-names.ts';

type Orm = MikroORM<AbstractSqlDriver, SqlEntityManager<AbstractSqlDriver>>;
type Em = SqlEntityManager<AbstractSqlDriver>;

export interface DatabaseOptions {
  /** PostgreSQL, or null for embedded PGlite. */
  databaseUrl: string | null;
  /** Data directory of PGlite; null keeps the data in memory. */
  dataDir: string | null;
  /** Embedded only: flush every commit to disk. */
  fsync: boolean;
  /** Embedded only: a dump of a data directory to start from. */
  loadDataDir?: Blob;
  /** Embedded only: path of the migrated template that new databases are copied from. Created if missing. */
  templateAt?: string;
  /** Embedded only: logs the creation of the database at the first start. */
  logger?: EmbeddedOptions['logger'];
  /** Embedded only: called once when PostgreSQL has panicked and cannot continue. */
  onPanic?: EmbeddedOptions['onPanic'];
}

/** What the composition root supplies: the entities, and a listener for statements. */
export interface DatabaseWiring {
  ormConfig(databaseUrl: string | null): object;
  /** Called with the text of each successful statement. */
  onStatement(text: string): void;
}

declare const opaque: unique symbol;
/** An open transaction. Ports pass it on as `{ on }`; only stores and the symbol queue unwrap it. */
export interface Transaction {
  readonly [opaque]: true;
}

export interface Database {
  readonly orm: Orm;
  /** The embedded instance, or null on PostgreSQL. */
  readonly pglite: PGlite | null;
  readonly databaseUrl: string | null;
  /** Embedded: whether this process still holds the lock on the data directory. Null without a directory. */
  readonly holdsDirectory: (() => boolean) | null;
  /**
   * Runs `work` in one transaction. Retries twice after a deadlock, a lock timeout or a serialization failure, so
   * `work` must have no effect outside the database. `rollback(answer)` undoes everything and still returns `answer`:
   * a refusal is not an exception.
   *
   * Throws retryable `database_unavailable` (with `retryAt`) and `database_conflict`. Throws `internal_error` inside
   * another transaction, because the two would deadlock.
   */
  transaction<T>(work: (on: Transaction, rollback: (answer: T) => never) => Promise<T>): Promise<T>;
  /** Runs one statement with `$1` parameters, in the transaction or alone. Dates and numerics are strings. */
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
   * Use a prepared statement: each connection parses and plans it once. For statements that run all the time. Name
   * the columns it returns: a prepared `select *` fails after a migration.
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

/** Opens the database, ready for `migrate`. Throws `data_dir_in_use` if another process holds the directory. */
export async function connectDatabase(options: DatabaseOptions, wiring: DatabaseWiring): Promise<Database> {
  const { databaseUrl, templateAt } = options;
  const openOrm = async (pglite: PGlite | null): Promise<Orm> => {
    const driver: object = pglite ? { driverOptions: { pglite } } : {};
    return (await MikroORM.init({
      ...wiring.ormConfig(databaseUrl),
      ...driver,
    } as Options)) as unknown as Orm;
  };
  const migrateNew = async (pglite: PGlite): Promise<void> => {
    const orm = await openOrm(pglite);
    await migrate(orm).finally(() => orm.close(true));
  };
  const prepared = templateAt === undefined ? undefined : { keptAt: templateAt, prepare: migrateNew };
  const embedded = databaseUrl === null ? await openPglite({ ...options, prepared }) : null;
  try {
    const orm = await openOrm(embedded?.pglite ?? null);
    return databaseOf(orm, { embedded, databaseUrl, onStatement: wiring.onStatement });
  } catch (error) {
    await embedded?.close();
    throw error;
  }
}

interface Connected extends Pick<DatabaseWiring, 'onStatement'> {
  embedded: EmbeddedDatabase | null;
  databaseUrl: string | null;
}

function databaseOf(orm: Orm, { embedded, databaseUrl, onStatement }: Connected): Database {
  const sql = async <Row>(
    text: string,
    parameters: readonly unknown[] = [],
    options: StatementOptions = {},
  ): Promise<Row[]> => {
    const { on, prepared = false } = options;
    if (!on) refuseInsideTransaction(orm, text);
    try {
      const statement = prepared ? named(text) : text;
      const { rows } = await kysely(orm, on).executeQuery(rawQuery(statement, parameters));
      onStatement(text);
      return rows as Row[];
    } catch (error) {
      if (!isOutdated(text, error)) throw on ? error : classified(error);
      if (!on) return sql<Row>(text, parameters, options);
      throw new AppError('database_conflict', 'The database has just been migrated.', {
        retryable: true,
        cause: error,
      });
    }
  };
  return {
    orm,
    pglite: embedded?.pglite ?? null,
    databaseUrl,
    holdsDirectory: embedded?.holdsDirectory ?? null,
    transaction: (work) => transaction(orm, work),
    sql,
    async migrate() {
      if (!(await isMigrated(orm))) await migrate(orm);
    },
    async close() {
      await orm.close(true);
      await embedded?.close();
    },
  };
}

/** The contents of a `Transaction`. */
interface Open {
  orm: Orm;
  kysely: KyselyLike;
  em?: Em;
}
const opened = (on: Transaction) => on as unknown as Open;

/** The entity manager of a transaction, for stores. A store flushes what it persists. */
export function entityManager(on: Transaction): Em {
  const open = opened(on);
  if (!open.em) {
    // Created on demand: few transactions need one, and it costs 0.1 of the 0.25 ms of CPU of an empty transaction.
    open.em = open.orm.em.fork();
    open.em.setTransactionContext(open.kysely);
  }
  return open.em;
}

/** The Kysely transaction behind `on`; pg-boss writes through it. */
export function kyselyTransaction(on: Transaction): KyselyLike {
  return opened(on).kysely;
}

interface KyselyLike {
  executeQuery(query: { sql: string | Named; parameters: readonly unknown[] }): Promise<{ rows: unknown[] }>;
}

function kysely(orm: Orm, on: Transaction | undefined): KyselyLike {
  return on ? kyselyTransaction(on) : (orm.driver.getConnection().getClient() as unknown as KyselyLike);
}

// MikroORM's own `execute` interpolates parameters into the text. This sends them separately.
function rawQuery(sql: string | Named, parameters: readonly unknown[]) {
  return { sql, parameters, query: { kind: 'RawNode' }, queryId: { queryId: 'raw' } };
}

const conflictRetries = 2; // a deadlock victim usually succeeds at the next try; a third failure needs attention

async function transaction<T>(
  orm: Orm,
  work: (on: Transaction, rollback: (answer: T) => never) => Promise<T>,
): Promise<T> {
  refuseInsideTransaction(orm, 'a nested transaction');
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

// PGlite has one connection, and a PostgreSQL pool may have none left. A statement outside the open transaction would
// wait for a connection that only this transaction can free: a deadlock.
function refuseInsideTransaction(orm: Orm, what: string): void {
  const open = openTransaction.getStore();
  if (!open?.isOpen || open.orm !== orm) return;
  const got = what.trim().slice(0, 80);
  throw new AppError('internal_error', `Expected { on } of the open transaction, got: ${got}`);
}

/** Whether the caller runs inside an open transaction. */
export function isInsideTransaction(): boolean {
  return openTransaction.getStore()?.isOpen ?? false;
}

// Work started inside a transaction may outlive it. `isOpen` says whether it still belongs to the transaction.
const openTransaction = new AsyncLocalStorage<{ orm: Orm; isOpen: boolean }>();

async function marked<T>(orm: Orm, run: () => Promise<T>): Promise<T> {
  const mark = { orm, isOpen: true };
  return openTransaction.run(mark, run).finally(() => {
    mark.isOpen = false;
  });
}

// Most starts have nothing to migrate, and the migrator takes a tenth of an embedded start to find that out.
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

// The migrator takes no lock: nodes that start at the same time would create the same tables twice.
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
