import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { PGlite, PGliteOptions } from '@electric-sql/pglite';
import { dataDir as emptyCluster } from '@electric-sql/pglite-prepopulatedfs';
import { AppError } from '../../kernel/errors.ts';
import { type DirectoryLock, lockDirectory } from './directory.lock.ts';
import { durable, flushPath, flushTree } from './durable.pglite.ts';
import { YieldingPGlite } from './yielding.pglite.ts';

export interface EmbeddedOptions {
  /** Made where it is missing, parents included. Null keeps everything in memory. */
  dataDir: string | null;
  /** Flush every commit to disk: survives power loss. Without it, the death of the process only. */
  fsync: boolean;
  /** A dumped data directory (`pglite.dumpDataDir`) to begin with instead of an empty database: 1 s, not 5. */
  loadDataDir?: Blob | undefined;
  logger?: { info(details: object, message: string): void } | undefined;
  /** Puts the schema into a new database, which is then kept: the next first start on this machine copies it. */
  prepared?: PreparedCluster | undefined;
  /** PostgreSQL has stopped for good and refuses everything: only another process can open the directory again. */
  onPanic?: ((error: Error) => void) | undefined;
}

export interface PreparedCluster {
  prepare(pglite: PGlite): Promise<void>;
  /** Where it is kept, by a name that changes whenever what `prepare` makes does. */
  keptAt: string;
}

/** A PGlite of our own. Close what uses it first (pg-boss, then the ORM): neither closes a PGlite it was handed. */
export interface EmbeddedDatabase extends AsyncDisposable {
  readonly pglite: PGlite;
  /** Whether the lock still keeps others out of the directory; null in memory. */
  readonly holdsDirectory: (() => boolean) | null;
  /** Closes PostgreSQL, then lets the next process in. A second call waits for the first. */
  close(): Promise<void>;
}

/**
 * Opens the embedded PostgreSQL: in memory, or in `<dataDir>/pglite`, where a lock keeps every other process out.
 *
 * A first start is made aside in `<dataDir>/pglite.init` and published by one rename, so a process killed at any
 * moment leaves a directory that opens. Everything, the lock too, lies inside `dataDir`: it may be a mounted volume.
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
  // We publish whole databases only, so whatever lies there is not ours, and not ours to remove.
  if (existsSync(cluster) && readdirSync(cluster).length > 0)
    throw unusable(cluster, 'it holds something else');
  options.logger?.info({ directory: cluster }, 'making the embedded database');
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

/** Copies a kept database; false where there is none. */
function copied(from: string | undefined, to: string): boolean {
  if (from === undefined || !existsSync(join(from, 'PG_VERSION'))) return false;
  cpSync(from, to, { recursive: true });
  return true;
}

/** Keeps a database, and only it, for later first starts. Where nothing can be written, each makes its own. */
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

// Unpacking what initdb would make takes 1.1 s; making it takes 2.9 s (medians of three, two busy cores).
const template = async ({ loadDataDir }: EmbeddedOptions): Promise<Blob> =>
  loadDataDir ?? (await emptyCluster());

const location = (directory: string, { fsync }: EmbeddedOptions): PGliteOptions =>
  fsync ? durable(directory) : { dataDir: directory };

// PGlite.create would build the base class.
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

// Step by step: where a file system makes nothing (/proc answers ENOENT), Node's own recursive one never ends.
function makeDirectory(path: string): void {
  const missing: string[] = [];
  for (let at = path; !existsSync(at) && at !== dirname(at); at = dirname(at)) missing.unshift(at);
  try {
    for (const directory of missing) makeOne(directory);
    if (!statSync(path).isDirectory()) throw new Error('it is not a directory');
  } catch (error) {
    throw unusable(path, error);
  }
}

function makeOne(directory: string): void {
  try {
    mkdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // somebody else made it just now
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
