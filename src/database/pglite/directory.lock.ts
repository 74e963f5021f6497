import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../kernel/errors.ts';
import { systemClock } from '../../kernel/system.clock.ts';

/** Who works in a directory, for the sentence that refuses everybody else. */
export interface Holder {
  pid: number;
  host: string;
  /** ISO 8601. */
  since: string;
}

export interface DirectoryLock {
  /** Whether it still keeps others out: a lock file that was deleted or replaced keeps out nobody. */
  isHeld(): boolean;
  /** Lets the next process in. A second call does nothing. */
  release(): void;
}

const busy = 5; // SQLITE_BUSY

/**
 * Makes this process the only one that works in `directory`, until `release` or its death.
 *
 * PGlite itself locks nothing: two processes in one directory both acknowledge commits, and the later writer
 * silently undoes the earlier one's. The lock is a kernel file lock, taken through SQLite because Node has no call
 * for it, on `<directory>.lock`; the kernel frees it with the process, kill -9 included. `<directory>.holder.json`
 * names the holder for people and guards nothing: a stale one is overwritten.
 *
 * Throws `data_dir_in_use`, naming the holder; `data_dir_unusable` where the lock file cannot be written.
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

// Written aside and renamed, so that a reader finds the whole sentence or none.
function writeHolder(file: string): void {
  const holder: Holder = {
    pid: process.pid,
    host: hostname(),
    since: new Date(systemClock.now()).toISOString(),
  };
  writeFileSync(`${file}.new`, `${JSON.stringify(holder)}\n`);
  renameSync(`${file}.new`, file);
}

/** Who says that it holds a directory; null where nobody does. */
export function readHolder(directory: string): Holder | null {
  try {
    return JSON.parse(readFileSync(`${directory}.holder.json`, 'utf8')) as Holder;
  } catch {
    return null; // its holder has not written it yet, or just left
  }
}

function inUse(directory: string, holder: Holder | null, cause: unknown): AppError {
  const who = holder
    ? `process ${holder.pid} on ${holder.host} since ${holder.since}`
    : 'a process that has not named itself';
  return new AppError(
    'data_dir_in_use',
    `Only one process may work in a data directory: stop the other or set another DATA_DIR. ${directory} is held by ${who}`,
    { details: { directory, holder }, cause },
  );
}

function unusable(directory: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AppError(
    'data_dir_unusable',
    `Expected a data directory that can be written and locked, got: ${directory} (${reason})`,
    { details: { directory }, cause },
  );
}
