import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { OverviewView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import {
  allJobsEnded,
  type Cluster,
  type ClusterNode,
  faultsIn,
  type Holder,
  holder,
  journal,
  lapseLeases,
  newSymbols,
  startCluster,
  until,
  waitingSessions,
} from '../support/cluster.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { fingerprints } from '../support/rows.ts';
import { csvOf } from '../support/service.ts';
import { read, upload } from '../support/service-process.ts';

/** Brings a job of one node to where it stands still in the middle of a transaction; answers the locks it waits for. */
type Park = (parked: { symbol: string; portfolio: string; gate: { open(): void } }) => Promise<Holder[]>;

describeOnDatabase('postgres', 'a node that is stopped in the middle of', (makeDatabase) => {
  const ends: (() => Promise<unknown>)[] = [];
  let database: Database;
  let cluster: Cluster;
  let frozen: ClusterNode;
  let other: ClusterNode;
  beforeAll(async () => {
    database = await makeDatabase();
    const atEnd = (end: () => Promise<unknown>) => ends.push(end);
    cluster = await startCluster(database, { atEnd, settings: { SHUTDOWN_GRACE_MS: '0' } });
    [frozen, other] = await Promise.all([cluster.start(), cluster.start()]);
    await upload(frozen.at, csvOf(...newSymbols(1))); // the proxies are stored now, and their days are known
    await allJobsEnded(database);
  });
  beforeEach(async () => {
    [frozen, other] = (await cluster.recover([frozen, other])) as [ClusterNode, ClusterNode];
  });
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  const lock = async (text: string, parameters: unknown[]): Promise<Holder> => {
    const one = await holder(database);
    await one.lock(text, parameters);
    return one;
  };
  const job = (symbol: string) =>
    lock('select 1 from onboarding_jobs where symbol = $1 for update', [symbol]);
  const universe = (symbol: string) =>
    lock('select 1 from symbol_universe where symbol = $1 for update', [symbol]);
  const portfolioRow = (id: string) => lock('select 1 from portfolios where id = $1 for update', [id]);
  // Rows of the same keys, not committed: whoever writes them waits for what becomes of these.
  const exposures = (symbol: string) =>
    lock(
      `insert into symbol_factor_exposures (symbol, calculation_date, factor, factor_group, method, beta, raw_beta,
         capped, observations, window_days, quality)
       select distinct $1, date, 'market_beta', '', '', 0, 0, false, 0, 0, '' from prices`,
      [symbol],
    );
  const blocked = () => until(async () => (await waitingSessions(database)).length > 0);
  /** Lets go of what it waits for first, once it has what it will wait for next. */
  const passOn = async (first: Holder, next: Promise<Holder>): Promise<Holder> => {
    await blocked();
    const held = await next;
    await first.release();
    await until(async () => (await waitingSessions(database)).length > 0);
    return held;
  };

  const kinds: Record<string, Park> = {
    'what the fetch phase writes': async ({ symbol, gate }) => {
      const fence = await job(symbol);
      gate.open();
      return [fence];
    },
    'what the factors phase writes': async ({ symbol, gate }) => {
      const rows = await exposures(symbol);
      gate.open();
      return [await passOn(rows, job(symbol))];
    },
    'what the universe phase writes': async ({ symbol, gate }) => {
      // It is the first that reads lots. A lock of a row that the phases before it take too would not stop it surely.
      const lots = await lock('lock table positions in access exclusive mode', []);
      gate.open();
      await until(async () =>
        (await waitingSessions(database)).some(({ query }) => query.includes('is_active')),
      );
      return [await passOn(lots, job(symbol))];
    },
    'a batch of snapshots': async ({ symbol, portfolio, gate }) => {
      const row = await portfolioRow(portfolio);
      gate.open();
      return [await passOn(row, job(symbol))];
    },
    'settling a job': async ({ symbol, portfolio, gate }) => {
      const row = await portfolioRow(portfolio);
      gate.open();
      return [await passOn(row, universe(symbol))];
    },
    'recording a transition': async ({ symbol, gate }) => {
      cluster.yahoo.setFaults([{ match: `/chart/${symbol}`, kind: '500', count: 20 }]);
      const row = await job(symbol);
      gate.open();
      return [row];
    },
    'claiming a job': async ({ gate }) => {
      gate.open();
      await allJobsEnded(database);
      const [next] = newSymbols(1) as [string];
      await fetch(`${frozen.at}/onboarding/pause`, { method: 'POST' });
      await cluster.admit([next]);
      const row = await job(next);
      await fetch(`${frozen.at}/onboarding/resume`, { method: 'POST' });
      return [row];
    },
    'waiting for a provider that answers meanwhile': async ({ gate }) => [
      { lock: async () => {}, release: async () => gate.open() },
    ],
    'an upload': async ({ gate }) => {
      const head = await lock('select 1 from feed_head for update', []);
      const request = {
        method: 'POST',
        body: csvOf(...newSymbols(1)),
        headers: { 'content-type': 'text/csv' },
      };
      const abort = new AbortController();
      onTestFinished(() => abort.abort());
      fetch(`${frozen.at}/portfolios?name=refused`, { ...request, signal: abort.signal }).catch(() => {});
      await blocked();
      gate.open();
      return [head];
    },
    // The last one: it does not come back.
    'giving a job back': async ({ symbol, gate }) => {
      const row = await job(symbol);
      frozen.kill('SIGTERM');
      return [row, { lock: async () => {}, release: async () => gate.open() }];
    },
  };

  const overview = (node: ClusterNode) => read<OverviewView>(`${node.at}/onboarding`);
  const sessionsGone = (pids: readonly number[]) =>
    until(async () => {
      const [row] = await database.sql<{ open: number }>(
        `select count(*)::int as open from pg_stat_activity where pid = any($1::int[]) and xact_start is not null`,
        [pids],
      );
      return row!.open === 0;
    });

  /** Resolves once the node that woke up has found out. */
  async function settled(kind: string): Promise<void> {
    if (kind === 'giving a job back') return void (await frozen.closed);
    await until(async () => (await fetch(`${frozen.at}/health/ready`)).status === 200);
    await until(async () => (await overview(frozen)).running === 0);
  }

  /** What was not committed when the node was stopped is undone, and its leases have lapsed; the other one goes on. */
  async function takeOver(pids: readonly number[], { real }: { real: boolean }): Promise<void> {
    // A server gives such sessions five seconds; one test waits for that.
    if (!real) await database.sql('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [pids]);
    await sessionsGone(pids);
    other.kill('SIGCONT');
    await lapseLeases(database, frozen.name);
    await allJobsEnded(database);
  }

  test.each(Object.entries(kinds))(
    '%s can write nothing when it wakes up',
    { timeout: 180_000 },
    async (kind, park) => {
      const [symbol] = newSymbols(1) as [string];
      const since = (await journal(database)).at(-1)!.position;
      other.kill('SIGSTOP');
      onTestFinished(() => void other.kill('SIGCONT'));
      const gate = cluster.hold(symbol, { most: 1 });
      await cluster.admit([symbol]);
      await gate.reached; // what led here is durable, so that the job's row can be locked
      const portfolio = await upload(frozen.at, csvOf(symbol));
      const locks = await park({ symbol, portfolio, gate });
      if (!kind.startsWith('waiting for a provider')) await blocked();

      const pids = (await waitingSessions(database)).map(({ pid }) => pid);
      frozen.kill('SIGSTOP');
      onTestFinished(() => void frozen.kill('SIGCONT'));
      for (const { release } of locks) await release();
      cluster.yahoo.setFaults([]);
      await takeOver(pids, { real: kind === 'what the fetch phase writes' });
      const [row] = await database.sql('select status, node from onboarding_jobs where symbol = $1', [
        symbol,
      ]);
      expect(row).toEqual({ status: 'completed', node: null });
      const before = await fingerprints(database);
      frozen.kill('SIGCONT');
      await settled(kind);

      expect(await fingerprints(database)).toEqual(before);
      const lines = (await journal(database)).filter(({ position }) => position > since);
      expect(faultsIn(lines)).toEqual([]);
      expect(lines.filter(({ node, claim_epoch: epoch }) => node === frozen.name && epoch > 1)).toEqual([]);
      const [written] = await database.sql(
        `select (select count(*)::int from portfolios where name = 'refused') as refused,
         (select revision from portfolio_snapshots where portfolio_id = $1) as revision`,
        [portfolio],
      );
      expect(written).toEqual({ refused: 0, revision: 1 });
    },
  );
});
