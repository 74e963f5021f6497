import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '../..');
export const launcher = join(root, 'bin/symbol-onboarding.js');

export interface CommandOptions {
  env?: Record<string, string>;
  /** Written to its standard input, which is then closed. */
  input?: string;
  /** For Node itself, before the launcher. */
  nodeOptions?: string[];
  bin?: string;
  cwd?: string;
  atEnd?: (end: () => Promise<void>) => void;
}

/** Options by which this Node takes itself for an older one; the Node that it hands over to is the real one. */
export const olderNode = [
  '--import',
  `data:text/javascript,${encodeURIComponent(
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })",
  )}`,
];

/** A running `symbol-onboarding`; it is gone at the end of the test in any case. */
export function startCommand(words: readonly string[], options: CommandOptions = {}) {
  const {
    env = {},
    input = '',
    nodeOptions = [],
    bin = launcher,
    cwd = root,
    atEnd = onTestFinished,
  } = options;
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [...nodeOptions, bin, ...words], {
    cwd,
    env: { PATH, HOME, LOG_LEVEL: 'silent', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const [out, err]: [string[], string[]] = [[], []];
  const lookers = new Set<() => void>();
  for (const [stream, lines] of [[child.stdout, out] as const, [child.stderr, err] as const]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const look of lookers) look();
    });
  }
  child.stdin.on('error', () => {}); // it may end before it has read everything
  child.stdin.end(input);
  const closed = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
    out,
    err,
  }));
  atEnd(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  return {
    child,
    closed,
    /** Resolves with the first line, of either stream, that matches. */
    line: (pattern: RegExp) =>
      new Promise<string>((resolve, reject) => {
        const look = () => {
          const found = [...out, ...err].find((line) => pattern.test(line));
          if (found !== undefined) resolve(found);
        };
        lookers.add(look);
        look();
        void closed.then(() =>
          reject(new Error(`it ended without ${pattern}: ${[...out, ...err].join('\n')}`)),
        );
      }),
  };
}

/** Runs `symbol-onboarding` to its end. */
export function command(words: readonly string[], options: CommandOptions = {}) {
  return startCommand(words, options).closed;
}

/** What it printed with `--json`, line by line. */
export const documents = (lines: readonly string[]): unknown[] => lines.map((line) => JSON.parse(line));
