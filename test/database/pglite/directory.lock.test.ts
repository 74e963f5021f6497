import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type DirectoryLock, lockDirectory } from '../../../src/database/pglite/directory.lock.ts';
import { startChild } from '../../support/children.ts';
import { temporaryDirectory } from '../../support/directories.ts';

const target = () => join(temporaryDirectory(), 'pglite');

function lock(directory: string): DirectoryLock {
  const held = lockDirectory(directory);
  onTestFinished(() => held.release());
  return held;
}

function refusal(directory: string): { code: string; message: string; details: unknown } {
  try {
    lock(directory);
  } catch (error) {
    return error as ReturnType<typeof refusal>;
  }
  throw new Error(`expected ${directory} to be held, got: its lock`);
}

async function holder(directory: string) {
  const child = startChild('embedded-process.ts', 'lock', directory);
  expect(await child.line()).toBe('locked');
  return child;
}

describe('a locked directory', () => {
  test('refuses a second process in one line that names the first', async () => {
    const directory = target();
    const child = await holder(directory);
    const { code, message, details } = refusal(directory);
    expect(code).toBe('data_dir_in_use');
    expect(message.split('\n')).toHaveLength(1);
    expect(message).toContain(` ${directory} is held by process ${child.pid} on ${hostname()} since 2`);
    expect(details).toMatchObject({ directory, holder: { pid: child.pid, host: hostname() } });
  });

  test('is free once its holder was killed, and then belongs to the next', async () => {
    const directory = target();
    const child = await holder(directory);
    await child.kill();
    expect(existsSync(`${directory}.holder.json`)).toBe(true);
    lock(directory);
    expect(JSON.parse(readFileSync(`${directory}.holder.json`, 'utf8'))).toMatchObject({ pid: process.pid });
  });

  test('refuses its own process too, and that attempt opens it to nobody', async () => {
    const directory = target();
    lock(directory);
    expect(refusal(directory)).toMatchObject({ details: { holder: { pid: process.pid } } });
    // Closing any descriptor of a file frees a process's kernel locks on it, were the attempt's one really closed.
    const child = startChild('embedded-process.ts', 'lock', directory);
    expect(await child.line()).toContain(`held by process ${process.pid} `);
  });

  test('is free after release, twice is once, and nobody is named any more', () => {
    const directory = target();
    const first = lock(directory);
    first.release();
    expect(existsSync(`${directory}.holder.json`)).toBe(false);
    const second = lock(directory);
    first.release();
    expect(refusal(directory).code).toBe('data_dir_in_use');
    second.release();
    lock(directory);
  });

  test('refuses where its holder has no name, or half a one', () => {
    const directory = target();
    lock(directory);
    writeFileSync(`${directory}.holder.json`, '{"pid":');
    expect(refusal(directory).message).toMatch(/ is held by an unknown process\. /);
  });

  test('is refused for what it is where the lock file cannot be made', () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    expect(refusal(join(file, 'pglite'))).toMatchObject({
      code: 'data_dir_unusable',
      message: expect.stringContaining(`got: ${file}/pglite (`),
    });
  });

  test('is refused for what it is where the lock file is something else', () => {
    const directory = target();
    writeFileSync(
      `${directory}.lock`,
      'a letter to a friend, longer than the header of a database would be '.repeat(20),
    );
    expect(refusal(directory).code).toBe('data_dir_unusable');
  });
});
