import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../kernel/errors.ts';
import { systemClock } from '../../kernel/system.clock.ts';

/** The process that holds a directory, for the error message of the others. */
export interface Holder {
  pid: number;
  host: string;
  /** ISO 8601. */
  since: string;
}

export interface DirectoryLock {
  /** Whether the lock still works: one whose file was deleted or replaced no longer keeps others out. */
  isHeld(): boolean;
  /** Releases the lock. A second call does nothing. */
  release(): void;
}

const busy = 5; // SQLITE_BUSY

/**
 * Gives this process exclusive use of `directory` until `release` or until the process dies.
 *
 * PGlite takes no lock: two processes in one directory would both acknowledge commits, and the later writer would
 * silently overwrite the earlier one's. The lock is a kernel file lock on `<directory>.lock`, taken through SQLite
 * because Node has no API for it; the kernel releases it when the process dies, even by kill -9.
 * `<directory>.holder.json` names the holder for people and protects nothing: a stale one is overwritten.
 *
 * Throws `data_dir_in_use`, naming the holder, and `data_dir_unusable` if the lock file cannot be written.
 *
 *     const lock = lockDirectory('/var/lib/onboarding/pglite')
 */
export function lockDirectory(directory: string): DirectoryLock {
  const holderFile = `${directory}.holder.json`;
  const lock = openLock(directory);
  try {
    lock.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    writeHolder(holderFile);
  } catch (error) {
    lock.close();
    throw (error as { errcode?: number }).errcode === busy
      ? inUse(directory, readHolder(directory), error)
      : unusable(directory, error);
  }
  const { ino } = statSync(`${directory}.lock`);
  return {
    isHeld: () => lock.isOpen && statSync(`${directory}.lock`, { throwIfNoEntry: false })?.ino === ino,
    release() {
      if (!lock.isOpen) return;
      rmSync(holderFile, { force: true });
      lock.close();
    },
  };
}

function openLock(directory: string): DatabaseSync {
  try {
    return new DatabaseSync(`${directory}.lock`);
  } catch (error) {
    throw unusable(directory, error);
  }
}

// Written to a temporary file and renamed, so that a reader never sees half of it.
function writeHolder(file: string): void {
  const holder: Holder = {
    pid: process.pid,
    host: hostname(),
    since: new Date(systemClock.now()).toISOString(),
  };
  writeFileSync(`${file}.new`, `${JSON.stringify(holder)}\n`);
  renameSync(`${file}.new`, file);
}

/** The recorded holder of a directory, or null. */
export function readHolder(directory: string): Holder | null {
  try {
    return JSON.parse(readFileSync(`${directory}.holder.json`, 'utf8')) as Holder;
  } catch {
    return null; // the holder has not written it yet, or has just released the lock
  }
}

function inUse(directory: string, holder: Holder | null, cause: unknown): AppError {
  const who = holder ? `process ${holder.pid} on ${holder.host} since ${holder.since}` : 'an unknown process';
  return new AppError(
    'data_dir_in_use',
    `The data directory ${directory} is held by ${who}. Stop that process or set another DATA_DIR.`,
    { details: { directory, holder }, cause },
  );
}

function unusable(directory: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AppError(
    'data_dir_unusable',
    `Expected a writable and lockable data directory, got: ${directory} (${reason})`,
    { details: { directory }, cause },
  );
}
