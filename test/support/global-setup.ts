import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the databases of this run are asked for. */
    databaseHost: string;
  }
}

/** Starts the process that owns the run's databases, and tells the tests where it is. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const major = Number(process.versions.node.split('.')[0]);
  assert.ok(
    major >= 24,
    `expected Node 24 from node_modules/.bin (npm ci without --ignore-scripts), got: ${major}`,
  );

  // In a process group of its own: an interrupt at the terminal must not end it before it has cleaned up.
  const script = join(import.meta.dirname, 'database-host.ts');
  const host = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  const [url] = await Promise.race([
    once(createInterface({ input: host.stdout }), 'line'),
    once(host, 'exit'),
  ]);
  assert.ok(typeof url === 'string', `expected the address of the database host, got: exit code ${url}`);
  project.provide('databaseHost', url);
  return async () => {
    const exit = once(host, 'exit');
    host.stdin.end();
    await exit;
  };
}
