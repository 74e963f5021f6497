import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { HealthCheck, Problem } from '../../src/contract/schemas.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { openDatabase } from '../../src/open-database.ts';
import { temporaryDirectory } from '../support/directories.ts';
import { gatedProvider } from '../support/gates.ts';
import { startPostgres } from '../support/postgres.ts';
import { sampleOf } from '../support/prometheus.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const loops = ['claims', 'requests', 'permits', 'leases'];

const readiness = async (service: TestService) => {
  const { status, body } = await service.get<{ checks: HealthCheck[] } & Partial<Problem>>('/health/ready');
  const failed = body.checks.filter((check) => check.status === 'failed').map(({ name }) => name);
  return { status, body, failed, names: body.checks.map(({ name }) => name) };
};

test('a node is not ready while its PostgreSQL is down, lives on, and is ready again by itself; jobs lose nothing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'onboarding-readiness-'));
  chmodSync(directory, 0o755);
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  // What was acknowledged has to be there again: the server is stopped as by kill -9.
  let server = await startPostgres(directory, { fsync: 'off' });
  onTestFinished(() => server.stop());
  const database = await openDatabase({ databaseUrl: `${server.url}postgres`, dataDir: null, fsync: false });
  onTestFinished(() => database.close());
  const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
  const settings = { SHUTDOWN_GRACE_MS: '0', ONBOARDING_CONCURRENCY: '2' };
  const service = await startService(database, { settings, provider });
  expect(await readiness(service)).toMatchObject({
    status: 200,
    names: ['database', 'schema', 'queue', 'supervisor', 'feed', ...loops],
    failed: [],
  });
  const { body } = await service.upload<Uploaded>(csvOf('BEFORE'));
  await service.settled(body.portfolio_id);
  const during = ['DURING1', 'DURING2', 'WAITING'];
  const fetching = during.slice(0, 2).map((symbol) => provider.hold(symbol));
  const upload = await service.upload<Uploaded>(csvOf(...during));
  await Promise.all(fetching.map(({ reached }) => reached));

  await server.stop();
  for (const gate of fetching) gate.open(); // their prices come, and there is no database to store them in
  const since = performance.now();
  const down = await readiness(service);
  expect(performance.now() - since).toBeLessThan(4000);
  expect(down).toMatchObject({ status: 503, body: { code: 'not_ready' } });
  expect(down.body.detail).toContain('database');
  expect(down.failed).toEqual(expect.arrayContaining(['database', 'schema', 'queue']));
  expect(down.failed).not.toContain('supervisor');
  expect((await service.get('/health/live')).status).toBe(200);

  const scrape = await fetch(`${service.url}/metrics`);
  const figures = await scrape.text();
  expect(scrape.status).toBe(200);
  expect(['database_up', 'depth', 'permits'].map((name) => sampleOf(figures, `onboarding_${name}`))).toEqual([
    0,
    null,
    2,
  ]);

  server = await server.startAgain();
  await vi.waitFor(async () => expect((await readiness(service)).failed).toEqual([]), {
    timeout: 20_000,
    interval: 250,
  });
  expect(await service.settled(upload.body.portfolio_id)).toMatchObject({ status: 'ready' });
  for (const symbol of during) {
    const { status, timeline } = await service.job(symbol);
    // An outage of ours is nobody's attempt, in no phase and however often it was met.
    expect([symbol, status, new Set(timeline.map(({ attempt }) => attempt))]).toEqual([
      symbol,
      'completed',
      new Set([1]),
    ]);
    expect(timeline.map(({ sequence }) => sequence)).toEqual(timeline.map((_, index) => index + 1));
  }
}, 180_000);

test('an embedded node minds its directory and its schema', async () => {
  const dataDir = temporaryDirectory();
  const database = await openDatabase({ databaseUrl: null, dataDir, fsync: false });
  onTestFinished(() => database.close());
  const service = await startService(database);
  expect(await readiness(service)).toMatchObject({
    status: 200,
    names: ['database', 'schema', 'queue', 'supervisor', 'feed', ...loops, 'directory'],
  });
  // Somebody tidied up: the next process would lock another file.
  rmSync(join(dataDir, 'pglite.lock'));
  expect(await readiness(service)).toMatchObject({ status: 503, failed: ['directory'] });
  await database.sql(`delete from mikro_orm_migrations where name = 'Migration20261122184635'`);
  const { body, failed } = await readiness(service);
  expect(failed).toEqual(['schema', 'directory']);
  expect(body.checks).toContainEqual(
    expect.objectContaining({ message: 'The database lacks these migrations: Migration20261122184635.' }),
  );
}, 180_000);
