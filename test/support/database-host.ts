import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { startPostgres } from './postgres.ts';

// The process that owns the databases of one test run. The runner starts it and holds its standard input; when the
// runner ends, however it ends, the input closes, and the server and its files go. Both databases are made when the
// first test asks for one, side by side, so a run that needs none pays for none.

const root = join(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'symbol-onboarding-'));
chmodSync(directory, 0o755);
const ended = new AbortController();
const making: Promise<unknown>[] = [];
const stops: (() => Promise<void>)[] = [];

const postgres = lazily(async () => {
  const server = await startPostgres(directory);
  stops.push(server.stop);
  const { openDatabase } = await import('../../src/open-database.ts');
  const options = { dataDir: null, fsync: false };
  const template = 'migrated';
  const admin = await openDatabase({ ...options, databaseUrl: `${server.url}postgres` });
  await admin.sql(`create database ${template}`);
  await admin.close();
  const database = await openDatabase({ ...options, databaseUrl: server.url + template });
  await database.migrate();
  await database.close();
  return { url: server.url, template };
});

const pglite = lazily(async () => {
  const file = join(directory, 'pglite.tar');
  const kept = join(root, 'node_modules/.cache/pglite-template', `${fingerprint()}.tar`);
  if (copied(kept, file)) return { file };
  const script = join(import.meta.dirname, 'pglite-template.ts');
  const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'inherit', 'inherit'] });
  ended.signal.addEventListener('abort', () => child.kill('SIGKILL'));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the PGlite template could not be made: exit code ${code}`);
  keep(file, kept);
  return { file };
});

/** Of everything that decides what a migrated PGlite holds. */
function fingerprint(): string {
  const hash = createHash('sha256');
  const migrations = readdirSync(join(root, 'src/migrations')).map((name) => `src/migrations/${name}`);
  const sources = [
    'package-lock.json',
    'mikro-orm.config.ts',
    'src/database/database.orm.ts',
    'src/database/pglite/yielding.pglite.ts',
  ];
  for (const source of [...sources, ...migrations.sort()]) hash.update(readFileSync(join(root, source)));
  return hash.digest('hex').slice(0, 16);
}

function copied(from: string, to: string): boolean {
  try {
    copyFileSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** Keeps the template for later runs, and only it: making one takes 5 s of a processor. */
function keep(file: string, kept: string): void {
  const { dir, base } = parse(kept);
  try {
    mkdirSync(dir, { recursive: true });
    copyFileSync(file, `${kept}.${process.pid}`);
    renameSync(`${kept}.${process.pid}`, kept);
    for (const name of readdirSync(dir)) if (name !== base) rmSync(join(dir, name), { force: true });
  } catch {
    // A checkout that cannot be written to makes its template each time.
  }
}

const host = createServer(async (request, response) => {
  try {
    const answers = { '/postgres': postgres(), '/pglite': pglite() };
    response.end(JSON.stringify(await answers[request.url as keyof typeof answers]));
  } catch (error) {
    response.writeHead(500).end(error instanceof Error ? error.stack : String(error));
  }
});
host.listen(0, '127.0.0.1', () => {
  const address = host.address();
  if (address && typeof address === 'object') console.log(`http://127.0.0.1:${address.port}`);
});

process.stdin.resume().once('close', async () => {
  ended.abort();
  await Promise.allSettled(making);
  for (const stop of stops) await stop();
  rmSync(directory, { recursive: true, force: true });
  process.exit();
});

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    if (!made) {
      made = make();
      made.catch(() => {}); // whoever asks for it is told
      making.push(made);
    }
    return made;
  };
}
