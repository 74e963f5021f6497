import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** A child process that is spoken to line by line. */
export interface Child {
  pid: number;
  /** The next line of its standard output; rejects when it ends instead. */
  line(): Promise<string>;
  write(line: string): void;
  /** Kills it the way the kernel does when memory runs out: no handler runs. */
  kill(): Promise<void>;
  /** Ends its standard input and waits for it to leave. */
  end(): Promise<void>;
}

/** Runs a script of `test/support` in a process of its own, which is gone at the end of the test in any case. */
export function startChild(script: string, ...parameters: string[]): Child {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const gone = async (): Promise<void> => {
    await exit;
  };
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await gone();
  });
  return {
    pid: child.pid!,
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`expected a line of ${script}, got: its end (${await ending(child, exit)})`);
      return value;
    },
    write: (line) => void child.stdin.write(`${line}\n`),
    async kill() {
      child.kill('SIGKILL');
      await gone();
    },
    async end() {
      child.stdin.end();
      await gone();
    },
  };
}

async function ending(child: ChildProcess, exit: Promise<unknown>): Promise<string> {
  await exit;
  return `code ${child.exitCode}, signal ${child.signalCode}`;
}
