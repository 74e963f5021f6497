import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const root = join(import.meta.dirname, '../..');

export interface RunningProcess {
  /** What it said first that looks like a URL. */
  url: string;
  /** Milliseconds from its start to that word. */
  tookMs: number;
  stop(): Promise<void>;
}

/** `npm start` as npm runs it, on the simulated market and a free port, its rate limit out of reach; what it logs goes to a file. */
export function startProcess(settings: Record<string, string>): Promise<RunningProcess> {
  const own = { MARKET_DATA: 'simulated', PORT: '0', RATE_LIMIT_PER_MINUTE: '1000000000' };
  return startScript(join(root, 'src/main.ts'), [], { ...own, ...settings });
}

/** Any script that writes a URL to its standard output and stops at SIGTERM. Rejects where it ends before that. */
export async function startScript(
  file: string,
  parameters: readonly string[] = [],
  settings: Record<string, string> = {},
): Promise<RunningProcess> {
  const { PATH = '', HOME = '' } = process.env;
  const begun = performance.now();
  const said = temporaryDirectory();
  const output = join(said.path, 'output');
  const child = spawn(process.execPath, [file, ...parameters], {
    env: { PATH, HOME, ...settings },
    // A file, as in production: a pipe would have us read the log with the processors that are measured.
    stdio: ['ignore', openSync(output, 'a'), 'inherit'],
  });
  const ended = once(child, 'exit');
  const url = await urlIn(output, child);
  const tookMs = performance.now() - begun;
  return {
    url,
    tookMs,
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM');
      await ended;
      said.remove();
    },
  };
}

async function urlIn(output: string, child: ChildProcess): Promise<string> {
  for (;;) {
    const [url] = /https?:\/\/[^"\s]+/.exec(readFileSync(output, 'utf8')) ?? [];
    if (url) return url;
    if (child.exitCode !== null)
      throw new Error(`expected ${child.spawnfile} to listen, got: exit code ${child.exitCode}`);
    await setTimeout(2);
  }
}

/** A directory of our own, gone with the returned call. */
export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'symbol-onboarding-bench-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
