import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';

/** Where and on what the numbers were taken, as one sentence. */
export function machine(): string {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0]!.toFixed(1);
  return (
    `${cpus().length} x ${cpu?.model.trim() ?? 'unknown processor'}, ${gigabytes} GB, ${type()} ${release()}, ` +
    `Node ${process.versions.node}, load ${load} at the start`
  );
}

/** The commit measured; `+ changes` where the tree differs from it outside the results. */
export function commit(): string {
  const git = (...words: string[]) =>
    execFileSync('git', words, { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no')
      .split('\n')
      .filter((line) => line !== '' && !line.endsWith('bench/README.md'));
    return git('rev-parse', '--short=12', 'HEAD') + (changed.length > 0 ? ' + changes' : '');
  } catch {
    return 'unknown'; // a tarball has no history
  }
}
