import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from './postgres.ts';

// The process that owns the databases of one test run. The runner starts it and holds its standard input; when the
// runner ends, however it ends, the input closes, and the server and its files go. Both databases are made when the
// first test asks for one, side by side, so a run that needs none pays for none.

const directory = mkdtempSync(join(tmpdir(), 'symbol-onboarding-'));
chmodSync(directory, 0o755);
const ended = new AbortController();
const making: Promise<unknown>[] = [];
const stops: (() => Promise<void>)[] = [];

const postgres = lazily(async () => {
  const server = await startPostgres(directory);
  stops.push(server.stop);
  const { openDatabase } = await import('../../src/database.ts');
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
  const script = join(import.meta.dirname, 'pglite-template.ts');
  const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'inherit', 'inherit'] });
  ended.signal.addEventListener('abort', () => child.kill('SIGKILL'));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the PGlite template could not be made: exit code ${code}`);
  return { file };
});

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
