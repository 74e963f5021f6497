import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { PGlite, PGliteOptions } from '@electric-sql/pglite';
import { dataDir as emptyCluster } from '@electric-sql/pglite-prepopulatedfs';
import { AppError } from '../../kernel/errors.ts';
import { type DirectoryLock, lockDirectory } from './directory.lock.ts';
import { durable, flushPath, flushTree } from './durable.pglite.ts';
import { YieldingPGlite } from './yielding.pglite.ts';

export interface EmbeddedOptions {
  /** Created if missing, parents included. Null keeps everything in memory. */
  dataDir: string | null;
  /** Flush every commit to disk, so that it survives power loss. Without it, commits survive a process crash only. */
  fsync: boolean;
  /** A dump (`pglite.dumpDataDir`) to start from instead of an empty database: 1 s instead of 5. */
  loadDataDir?: Blob | undefined;
  logger?: { info(details: object, message: string): void } | undefined;
  /** Migrates a new database and keeps a copy as a template for the next first start on this machine. */
  prepared?: PreparedCluster | undefined;
  /** PostgreSQL has panicked and refuses everything. Only a new process can open the directory again. */
  onPanic?: ((error: Error) => void) | undefined;
}

export interface PreparedCluster {
  prepare(pglite: PGlite): Promise<void>;
  /** Path of the template. Its name changes whenever the result of `prepare` does. */
  keptAt: string;
}

/** An open PGlite. Close pg-boss and then the ORM first: neither closes a PGlite that was passed to it. */
export interface EmbeddedDatabase extends AsyncDisposable {
  readonly pglite: PGlite;
  /** Whether the lock on the directory still holds; null in memory. */
  readonly holdsDirectory: (() => boolean) | null;
  /** Closes PostgreSQL, then releases the lock. A second call waits for the first. */
  close(): Promise<void>;
}

/**
 * Opens the embedded PostgreSQL: in memory, or in `<dataDir>/pglite`, which is locked against other processes.
 *
 * The first start creates the database in `<dataDir>/pglite.init` and publishes it by one rename, so a process killed
 * at any moment leaves a directory that opens. Everything, including the lock, lies inside `dataDir`, which may be a
 * mounted volume.
 *
 * Throws `data_dir_in_use` and `data_dir_unusable`.
 *
 *     const { pglite, close } = await openPglite({ dataDir: './data', fsync: true })
 */
export async function openPglite(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { dataDir } = options;
  if (dataDir === null)
    return embedded(await start({ loadDataDir: await template(options) }, options.onPanic), null);

  const cluster = join(resolve(dataDir), 'pglite');
  makeDirectory(dirname(cluster));
  const lock = lockDirectory(cluster);
  try {
    if (!existsSync(join(cluster, 'PG_VERSION'))) await initialise(cluster, options);
    return embedded(await start(location(cluster, options), options.onPanic), lock);
  } catch (error) {
    lock.release();
    throw error instanceof AppError ? error : unusable(cluster, error);
  }
}

async function initialise(cluster: string, options: EmbeddedOptions): Promise<void> {
  // We publish complete databases only, so these files are not ours and we must not remove them.
  if (existsSync(cluster) && readdirSync(cluster).length > 0)
    throw unusable(cluster, 'it contains other files');
  options.logger?.info({ directory: cluster }, 'creating the embedded database');
  const aside = `${cluster}.init`;
  rmSync(aside, { recursive: true, force: true });
  if (!copied(options.prepared?.keptAt, aside)) {
    const pglite = await start({ ...location(aside, options), loadDataDir: await template(options) });
    await Promise.resolve(options.prepared?.prepare(pglite)).finally(() => pglite.close());
    if (options.prepared) keep(aside, options.prepared.keptAt);
  }
  if (options.fsync) await flushTree(aside);
  renameSync(aside, cluster);
  if (options.fsync) await flushPath(dirname(cluster));
}

/** Copies a template; false if there is none. */
function copied(from: string | undefined, to: string): boolean {
  if (from === undefined || !existsSync(join(from, 'PG_VERSION'))) return false;
  cpSync(from, to, { recursive: true });
  return true;
}

/**
 * Keeps a database as the only template for later first starts. If it cannot be written, each start creates its own.
 */
function keep(database: string, keptAt: string): void {
  const aside = `${keptAt}.${process.pid}`;
  try {
    mkdirSync(dirname(keptAt), { recursive: true });
    for (const other of readdirSync(dirname(keptAt)))
      rmSync(join(dirname(keptAt), other), { recursive: true });
    cpSync(database, aside, { recursive: true });
    renameSync(aside, keptAt);
  } catch {
    rmSync(aside, { recursive: true, force: true });
  }
}

// Unpacking a prebuilt cluster takes 1.1 s, running initdb 2.9 s (medians of three, two busy cores).
const template = async ({ loadDataDir }: EmbeddedOptions): Promise<Blob> =>
  loadDataDir ?? (await emptyCluster());

const location = (directory: string, { fsync }: EmbeddedOptions): PGliteOptions =>
  fsync ? durable(directory) : { dataDir: directory };

// PGlite.create would instantiate the base class.
async function start(options: PGliteOptions, onPanic?: (error: Error) => void): Promise<PGlite> {
  const pglite = new YieldingPGlite(options, onPanic);
  await pglite.waitReady;
  return pglite;
}

function embedded(pglite: PGlite, lock: DirectoryLock | null): EmbeddedDatabase {
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= pglite.close().finally(() => lock?.release());
    return closing;
  };
  const holdsDirectory = lock && (() => lock.isHeld());
  return { pglite, holdsDirectory, close, [Symbol.asyncDispose]: close };
}

// One level at a time: where a file system cannot create directories (/proc answers ENOENT), Node's own recursive mkdir
// never ends.
function makeDirectory(path: string): void {
  const missing: string[] = [];
  for (let at = path; !existsSync(at) && at !== dirname(at); at = dirname(at)) missing.unshift(at);
  try {
    for (const directory of missing) makeOne(directory);
    if (!statSync(path).isDirectory()) throw new Error('not a directory');
  } catch (error) {
    throw unusable(path, error);
  }
}

function makeOne(directory: string): void {
  try {
    mkdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // another process has just created it
  }
}

function unusable(directory: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AppError(
    'data_dir_unusable',
    `Expected a data directory in which PostgreSQL can start, got: ${directory} (${reason})`,
    { details: { directory }, cause },
  );
}
