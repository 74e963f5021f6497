import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '../..');

export interface RunningProcess {
  /** What it said first that looks like a URL. */
  url: string;
  /** Milliseconds from its start to that word. */
  tookMs: number;
  stop(): Promise<void>;
}

/** `npm start` as npm runs it, on the simulated market and a free port; what it logs goes nowhere. */
export function startProcess(settings: Record<string, string>): Promise<RunningProcess> {
  return startScript(join(root, 'src/main.ts'), [], { MARKET_DATA: 'simulated', PORT: '0', ...settings });
}

/** Any script that writes a URL to its standard output and stops at SIGTERM. Rejects where it ends before that. */
export async function startScript(
  file: string,
  parameters: readonly string[] = [],
  settings: Record<string, string> = {},
): Promise<RunningProcess> {
  const { PATH = '', HOME = '' } = process.env;
  const begun = performance.now();
  const child = spawn(process.execPath, [file, ...parameters], {
    env: { PATH, HOME, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await urlOf(child);
  const tookMs = performance.now() - begun;
  return {
    url,
    tookMs,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function urlOf(child: ChildProcess): Promise<string> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`expected it to listen, got: exit code ${code}`);
  });
  const said = new Promise<string>((resolve) => {
    // Read to the end, or a full pipe would stop the process.
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const [url] = /https?:\/\/[^"\s]+/.exec(line) ?? [];
      if (url) resolve(url);
    });
  });
  ended.catch(() => {});
  return Promise.race([said, ended]);
}

/** A directory of our own, gone with the returned call. */
export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'symbol-onboarding-bench-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
