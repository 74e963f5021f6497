import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { SymbolStatusView } from '../../src/contract/schemas.ts';
import { openDatabase } from '../../src/open-database.ts';
import {
  allJobsEnded,
  type ClusterNode,
  faultsIn,
  journal,
  newSymbols,
  startCluster,
  until,
} from '../support/cluster.ts';
import { startPostgres } from '../support/postgres.ts';
import { csvOf } from '../support/service.ts';
import { read, upload } from '../support/service-process.ts';

test('three nodes wait while their database is away, and go on without a lost attempt', {
  timeout: 180_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'onboarding-outage-'));
  chmodSync(directory, 0o755);
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  // What this server has acknowledged is in its log: it may be ended like a machine that loses its process.
  let server = await startPostgres(directory, { fsync: 'off', max_connections: '200' });
  onTestFinished(() => server.stop());
  const database = await openDatabase({ databaseUrl: `${server.url}postgres`, dataDir: null, fsync: false });
  onTestFinished(() => database.close());
  await database.migrate();
  const cluster = await startCluster(database);
  const nodes = await Promise.all([cluster.start(), cluster.start(), cluster.start()]);
  const ended = async (symbols: readonly string[]) => {
    const [row] = await database.sql<{ n: number }>(
      `select count(*)::int as n from onboarding_jobs where symbol = any($1) and status = 'completed'`,
      [symbols],
    );
    return row!.n;
  };
  const [known] = newSymbols(1) as [string];
  await upload(nodes[0]!.at, csvOf(known));
  await allJobsEnded(database);
  const since = (await journal(database)).at(-1)!.position;
  const statusOf = async (node: ClusterNode) => {
    const response = await fetch(`${node.at}/symbols/${known}/status`);
    return response.ok ? ((await response.json()) as SymbolStatusView).status : response.status;
  };
  for (const node of nodes) await until(async () => (await statusOf(node)) === 'ready');
  const symbols = newSymbols(30);
  const gates = symbols.slice(20).map((symbol) => cluster.hold(symbol, { most: 1 }));
  const portfolio = await upload(nodes[1]!.at, csvOf(...symbols.slice(0, 20)));
  await cluster.admit(symbols.slice(20));
  await until(async () => (await ended(symbols)) >= 3);

  await server.stop();
  for (const gate of gates) gate.open(); // answers arrive that nobody can store
  // Nobody answers from memory what it can no longer be told of.
  for (const node of nodes) await until(async () => (await statusOf(node)) === 503);
  for (const { at } of nodes) expect((await fetch(`${at}/health/ready`)).status).toBe(503);
  server = await server.startAgain();
  await until(async () => (await ended(symbols).catch(() => 0)) === 30);

  const jobs = await database.sql<{ status: string; attempt: number }>(
    'select status, attempt from onboarding_jobs where symbol = any($1)',
    [symbols],
  );
  expect(jobs).toEqual(symbols.map(() => ({ status: 'completed', attempt: 1 })));
  const lines = (await journal(database)).filter(({ position }) => position > since);
  expect(faultsIn(lines, { perNode: 3 })).toEqual([]);
  expect(Math.max(...lines.map(({ position }) => position))).toBeGreaterThan(since);
  for (const { at } of nodes) await until(async () => (await fetch(`${at}/health/ready`)).status === 200);
  expect(await read(`${nodes[2]!.at}/portfolios/${portfolio}`)).toMatchObject({
    status: 'ready',
    snapshot: { position_count: 20 },
  });
});
