import { once } from 'node:events';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Problem } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import {
  allJobsEnded,
  type ClusterNode,
  faultsIn,
  journal,
  lapseLeases,
  newSymbols,
  startCluster,
  until,
} from '../support/cluster.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { csvOf } from '../support/service.ts';
import { stopped, upload } from '../support/service-process.ts';

const rounds = process.env.SOAK ? 10 : 1;

describeOnDatabase('postgres', 'a node that is told to stop', (makeDatabase) => {
  let database: Database;
  beforeEach(async () => {
    database = await makeDatabase();
  });

  const jobs = (symbols: readonly string[]) =>
    database.sql<{ symbol: string; status: string; resumes: number; node: string | null; phase: string }>(
      'select symbol, status, resumes, node, phase from onboarding_jobs where symbol = any($1) order by symbol',
      [symbols],
    );
  const readiness = async ({ at }: ClusterNode) => {
    const response = await fetch(`${at}/health/ready`, { headers: { connection: 'close' } });
    return { status: response.status, problem: (await response.json()) as Problem };
  };
  const socketTo = async ({ at }: ClusterNode) => {
    const socket = new WebSocket(`${at.replace('http', 'ws')}/ws`);
    onTestFinished(() => socket.close());
    const closed = once(socket, 'close').then(([event]) => (event as CloseEvent).code);
    await once(socket, 'open');
    return { closed };
  };

  test('is not ready any more, lets what runs go on, hands the rest over at once, and exits with 0', {
    timeout: 180_000,
  }, async () => {
    const cluster = await startCluster(database);
    const patient = { ONBOARDING_CONCURRENCY: '1', ONBOARDING_PREFETCH: '5', SHUTDOWN_GRACE_MS: '60000' };
    const leaving = await cluster.start(patient);
    const [running, ...others] = newSymbols(4) as [string, ...string[]];
    const gate = cluster.hold(running, { most: 1 });
    await cluster.admit([running]);
    await gate.reached;
    await cluster.admit(others);
    await until(async () => (await jobs(others)).every(({ node }) => node === leaving.name));
    const staying = await cluster.start();
    const socket = await socketTo(leaving);

    leaving.kill('SIGTERM');
    await until(async () => (await readiness(leaving)).status === 503);
    expect((await readiness(leaving)).problem).toMatchObject({ code: 'not_ready' });
    // Nothing runs for them here: they are elsewhere long before the grace is over.
    await until(async () => (await jobs(others)).every(({ status }) => status === 'completed'));
    expect(await jobs([running])).toMatchObject([
      { status: 'processing', node: leaving.name, phase: 'fetch' },
    ]);
    const late = newSymbols(1);
    await cluster.admit(late);
    await until(async () => (await jobs(late)).every(({ status }) => status === 'completed'));

    gate.open();
    expect(await leaving.closed).toMatchObject({ code: 0, signal: null, err: [] });
    expect(await socket.closed).toBe(1001);
    expect(await jobs([running])).toMatchObject([{ status: 'completed' }]);
    expect([running, ...others, ...late].map(cluster.requests)).toEqual([1, 1, 1, 1, 1]);
    expect(faultsIn(await journal(database))).toEqual([]);
    expect(await stopped(staying)).toMatchObject({ code: 0 });
  });

  test('ends at once at the second signal, and its jobs are resumed', { timeout: 180_000 }, async () => {
    const cluster = await startCluster(database);
    const leaving = await cluster.start({ SHUTDOWN_GRACE_MS: '600000' });
    const [symbol] = newSymbols(1) as [string];
    const gate = cluster.hold(symbol, { most: 1 });
    await cluster.admit([symbol]);
    await gate.reached;
    leaving.kill('SIGTERM');
    await until(async () => (await readiness(leaving)).status === 503);
    await until(async () => leaving.out.some((line) => line.startsWith('Stopping')));
    // Signals within a quarter of a second are one press of a key; this is another.
    const ended = leaving.closed.then(() => true);
    while (!(await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 100, false))])))
      leaving.kill('SIGINT');
    expect(await leaving.closed).toMatchObject({ code: 1 });
    const next = await cluster.start();
    await lapseLeases(database);
    await allJobsEnded(database);
    expect(await jobs([symbol])).toMatchObject([{ status: 'completed' }]);
    expect(await stopped(next)).toMatchObject({ code: 0 });
  });

  test('one after the other, while sixty symbols are onboarded: nothing is lost, and nothing fails', {
    timeout: process.env.SOAK ? 600_000 : 180_000,
  }, async () => {
    const settings = { ONBOARDING_QUEUE_DEPTH: '60', SHUTDOWN_GRACE_MS: '200' };
    const cluster = await startCluster(database, { settings });
    let nodes: ClusterNode[] = await Promise.all([cluster.start(), cluster.start(), cluster.start()]);
    for (let round = 0; round < rounds; round += 1) {
      const since = (await journal(database)).at(-1)?.position ?? 0;
      const symbols = newSymbols(60);
      await cluster.admit(symbols);
      const portfolio = await upload(nodes[round % 3]!.at, csvOf(...symbols));
      const replaced: ClusterNode[] = [];
      for (const [index, node] of nodes.entries()) {
        // Not before it has something to lose.
        await until(async () => {
          const now = await jobs(symbols);
          const ended = now.filter(({ status }) => status === 'completed').length;
          return ended >= index * 15 + 5 && (ended === 60 || now.some((job) => job.node === node.name));
        });
        expect(await stopped(node)).toMatchObject({ code: 0, signal: null, err: [] });
        replaced.push(await cluster.start());
      }
      nodes = replaced;
      await allJobsEnded(database);
      const ended = await jobs(symbols);
      expect(ended.filter(({ status, resumes }) => status !== 'completed' || resumes > 0)).toEqual([]);
      expect(ended).toHaveLength(60);
      const lines = (await journal(database)).filter(({ position }) => position > since);
      expect(faultsIn(lines, { perNode: 3 })).toEqual([]);
      expect(lines.filter(({ to_state: to }) => to.endsWith('backingOff'))).toEqual([]);
      // A phase that was done is not done again, so prices that were stored are not asked for again.
      const fetches = Map.groupBy(
        lines.filter(({ to_state: to }) => to === 'processing.fetch.running'),
        ({ symbol }) => symbol,
      );
      const asked = symbols.filter((symbol) => cluster.requests(symbol) > fetches.get(symbol)!.length);
      expect(asked).toEqual([]);
      const view = await fetch(`${nodes[0]!.at}/portfolios/${portfolio}`);
      expect(await view.json()).toMatchObject({ status: 'ready', snapshot: { position_count: 60 } });
    }
    for (const node of nodes) expect(await stopped(node)).toMatchObject({ code: 0 });
  });
});
