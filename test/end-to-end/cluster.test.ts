import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { OverviewView, PortfolioView, SymbolStatusView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import {
  allJobsEnded,
  type Cluster,
  type ClusterNode,
  faultsIn,
  holder,
  journal,
  lapseLeases,
  newSymbols,
  startCluster,
  until,
} from '../support/cluster.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { sampleOf } from '../support/prometheus.ts';
import { csvOf } from '../support/service.ts';
import { read, watch } from '../support/service-process.ts';

const uploads = process.env.SOAK ? 40 : 1; // rounds of the race for the last places

describeOnDatabase('postgres', 'three nodes', (makeDatabase) => {
  const ends: (() => Promise<unknown>)[] = [];
  let database: Database;
  let cluster: Cluster;
  let nodes: ClusterNode[];
  beforeAll(async () => {
    database = await makeDatabase();
    const settings = { ONBOARDING_CONCURRENCY: '3', ONBOARDING_CLUSTER_CONCURRENCY: '4' };
    cluster = await startCluster(database, { settings, atEnd: (end) => ends.push(end) });
    nodes = await Promise.all([cluster.start(), cluster.start(), cluster.start()]);
  });
  beforeEach(async () => {
    nodes = await cluster.recover(nodes);
  });
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  const post = (node: ClusterNode, path: string, body?: string) =>
    fetch(node.at + path, { method: 'POST', ...(body && { body, headers: { 'content-type': 'text/csv' } }) });
  const upload = async (node: ClusterNode, symbols: readonly string[]) => {
    const response = await post(node, '/portfolios?name=cluster', csvOf(...symbols));
    return { status: response.status, body: (await response.json()) as { portfolio_id: string } };
  };
  const overview = (node: ClusterNode) => read<OverviewView>(`${node.at}/onboarding`);
  const depth = async () =>
    (
      await database.sql<{ n: number }>(
        `select count(*)::int as n from onboarding_jobs where status in ('pending', 'processing')`,
      )
    )[0]!.n;

  test('admit exactly the depth, whoever is asked, and run no more than each node and the cluster may', {
    timeout: process.env.SOAK ? 900_000 : 180_000,
  }, async () => {
    const watching = await Promise.all(nodes.map(({ at }) => watch(at)));
    for (let round = 0; round < uploads; round += 1) {
      await post(nodes[0]!, '/onboarding/pause');
      // Pairs: whichever upload is refused, none of its symbols is queued. 64 symbols for 50 places.
      const pairs = Array.from({ length: 32 }, () => newSymbols(2));
      const answers = await Promise.all(pairs.map((pair, n) => upload(nodes[n % 3]!, pair)));
      expect(answers.filter(({ status }) => status === 202)).toHaveLength(25);
      expect(answers.filter(({ status }) => status === 503)).toHaveLength(7);
      expect(await depth()).toBe(50);
      expect((await upload(nodes[1]!, newSymbols(1))).status).toBe(503);

      // Three nodes of three would be nine; the cluster may run four.
      const admitted = pairs.filter((_, n) => answers[n]!.status === 202).flat();
      const lock = await holder(database);
      // So nobody passes its second phase.
      if (round === 0) await lock.lock('lock table symbol_factor_exposures in exclusive mode');
      await post(nodes[2]!, '/onboarding/resume');
      if (round === 0) {
        await until(async () => (await overview(nodes[0]!)).cluster_running === 4);
        const views = await Promise.all(nodes.map(overview));
        expect(views.map(({ cluster_running: running }) => running)).toEqual([4, 4, 4]);
        expect(views.map(({ limits }) => limits.cluster_concurrency)).toEqual([4, 4, 4]);
        expect(views.reduce((sum, { running }) => sum + running, 0)).toBe(4);
        const metrics = await (await fetch(`${nodes[1]!.at}/metrics`)).text();
        const sample = (name: string) => sampleOf(metrics, `onboarding_cluster_permits${name}`);
        expect([sample(''), sample('_in_use')]).toEqual([4, 4]);
      }
      await lock.release();
      await allJobsEnded(database);
      // Once for the verdict, and once more where the job did not run where that was asked for.
      expect(admitted.filter((symbol) => cluster.requests(symbol) > 2)).toEqual([]);
    }
    const lines = await journal(database);
    expect(faultsIn(lines, { perNode: 3, cluster: 4 })).toEqual([]);
    expect(new Set(lines.map(({ node }) => node).filter(Boolean))).toEqual(
      new Set(nodes.map(({ name }) => name)),
    );
    // Every node's clients saw every node's transitions, in order, none twice.
    const all = lines.map(({ position }) => position);
    for (const { seen, until } of watching) {
      await until(() => seen.length >= all.length);
      expect(seen.map(({ position }) => position)).toEqual(all);
    }
    const [state] = await database.sql(
      `select (select count(*)::int from onboarding_jobs where status = 'completed') as completed,
         (select count(*)::int from cluster_permits where job_id is not null) as permits`,
    );
    expect(state).toEqual({ completed: uploads * 50, permits: 0 });
  });

  test('each remember every symbol that any of them has completed', { timeout: 180_000 }, async () => {
    const symbols = newSymbols(6);
    const { body } = await upload(nodes[0]!, symbols);
    await allJobsEnded(database);
    expect(await read<PortfolioView>(`${nodes[1]!.at}/portfolios/${body.portfolio_id}`)).toMatchObject({
      status: 'ready',
      snapshot: { position_count: 6 },
    });
    const known = async ({ at }: ClusterNode) => {
      const statuses = symbols.map((symbol) => read<SymbolStatusView>(`${at}/symbols/${symbol}/status`));
      return (await Promise.all(statuses)).map(({ status }) => status);
    };
    // What a node has not learnt by itself is not answered while nobody may read the universe.
    const feed = (await journal(database)).at(-1)!.position;
    for (const node of nodes) await until(async () => (await overview(node)).feed_position >= feed);
    const lock = await holder(database);
    await lock.lock('lock table symbol_universe, onboarding_jobs in access exclusive mode');
    for (const node of nodes) expect(await known(node)).toEqual(symbols.map(() => 'ready'));
  });

  test('join the job of a symbol that another one has begun', { timeout: 180_000 }, async () => {
    const [symbol] = newSymbols(1);
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => upload(nodes[n % 3]!, [symbol!])));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    await allJobsEnded(database);
    expect(await database.sql('select status from onboarding_jobs where symbol = $1', [symbol])).toEqual([
      { status: 'completed' },
    ]);
    const fetches = (await journal(database)).filter(
      ({ symbol: name, to_state: to }) => name === symbol && to === 'processing.fetch.running',
    );
    expect(fetches).toHaveLength(1);
    for (const { body } of answers) {
      const portfolio = await read<PortfolioView>(`${nodes[0]!.at}/portfolios/${body.portfolio_id}`);
      expect(portfolio).toMatchObject({ status: 'ready', snapshot: { position_count: 1, revision: 1 } });
    }
  });

  test('that all fell asleep go on when they wake up, whoever then has the job', {
    timeout: 180_000,
  }, async () => {
    const since = (await journal(database)).at(-1)?.position ?? 0;
    const symbols = newSymbols(8);
    const gates = symbols.map((symbol) => cluster.hold(symbol, { most: 1 }));
    await cluster.admit(symbols);
    await until(async () => (await overview(nodes[0]!)).cluster_running === 4);
    for (const node of nodes) node.kill('SIGSTOP');
    onTestFinished(() => nodes.forEach((node) => void node.kill('SIGCONT')));
    await lapseLeases(database); // as long as a lid is closed
    // Whichever wakes up first finds that the others' jobs are anybody's; then they wake up too.
    const [first, ...late] = nodes as [ClusterNode, ...ClusterNode[]];
    for (const gate of gates) gate.open();
    first.kill('SIGCONT');
    await until(async () =>
      (await journal(database, since)).some(({ event, node }) => event === 'resumed' && node === first.name),
    );
    for (const node of late) node.kill('SIGCONT');
    await allJobsEnded(database);

    const jobs = await database.sql('select status, attempt from onboarding_jobs where symbol = any($1)', [
      symbols,
    ]);
    expect(jobs).toEqual(symbols.map(() => ({ status: 'completed', attempt: 1 })));
    expect(faultsIn((await journal(database)).filter(({ position }) => position > since))).toEqual([]);
    expect(symbols.filter((symbol) => cluster.requests(symbol) > 3)).toEqual([]);
  });
});
