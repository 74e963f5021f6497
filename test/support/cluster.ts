import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { OverviewView } from '../../src/contract/schemas.ts';
import type { Database, Transaction } from '../../src/database/database.orm.ts';
import { startNode } from '../onboarding/fixture.ts';
import { type Gate, type HeldGate, makeGate } from './gates.ts';
import { read, run } from './service-process.ts';
import { type StandinOptions, type StandinYahoo, startStandinYahoo } from './standin-yahoo/server.ts';

/** A node as its own process. */
export interface ClusterNode extends ReturnType<typeof run> {
  /** Where it listens. */
  at: string;
  /** As it calls itself in jobs and journal. */
  name: string;
}

/** Nodes in processes of their own, on one PostgreSQL and one stand-in for the provider. */
export interface Cluster {
  yahoo: StandinYahoo;
  start(settings?: Record<string, string>): Promise<ClusterNode>;
  /**
   * For `beforeEach` where tests share nodes: undoes what a test that failed may have left behind, a pause, faults,
   * closed gates, stopped nodes, unfinished jobs. Answers the nodes, with one for this test in place of each that has
   * ended.
   */
  recover(nodes: readonly ClusterNode[]): Promise<ClusterNode[]>;
  /**
   * Queues symbols that nobody has verified. An upload asks for prices too, and keeps them for the jobs of its node; one
   * that joins these jobs does not, so that every request is a job's.
   */
  admit(symbols: readonly string[]): Promise<void>;
  /** Holds back the prices of a symbol from whoever asks for them, or from the first `most` who do. */
  hold(symbol: string, options?: { most?: number }): Gate;
  /** How often the prices of a symbol were asked for, by whichever node. */
  requests(symbol: string): number;
}

type End = (end: () => Promise<unknown>) => void;

/** `atEnd` is where to leave word of what must be ended: `onTestFinished`, or a list that `afterAll` goes through. */
export async function startCluster(
  database: Database,
  options: { settings?: Record<string, string>; standin?: StandinOptions; atEnd?: End } = {},
): Promise<Cluster> {
  const { settings = {}, standin = {}, atEnd = onTestFinished as End } = options;
  const gates: { target: RegExp; gate: HeldGate; left: number }[] = [];
  const yahoo = await startStandinYahoo({
    seed: 1,
    before: async (target) => {
      for (const one of gates) if (one.target.test(target) && one.left-- > 0) await one.gate.pass();
    },
    ...standin,
  });
  atEnd(() => yahoo.close());
  const start = async (more: Record<string, string>, endAt: End): Promise<ClusterNode> => {
    const node = run(
      {
        MARKET_DATA: 'yahoo',
        YAHOO_BASE_URL: yahoo.url,
        DATABASE_URL: database.databaseUrl!,
        PORT: '0',
        RETRY_BASE_MS: '50',
        RETRY_MAX_MS: '200',
        PROVIDER_CONCURRENCY: '20',
        UPLOAD_RATE_LIMIT_PER_MINUTE: '0',
        RATE_LIMIT_PER_MINUTE: '0',
        ...settings,
        ...more,
      },
      { atEnd: endAt },
    );
    const at = await node.url();
    const { node: name } = await read<OverviewView>(`${at}/onboarding`);
    return { ...node, at, name: name! };
  };
  return {
    yahoo,
    start: (more = {}) => start(more, atEnd),
    async recover(nodes) {
      for (const node of nodes) node.kill('SIGCONT');
      for (const { gate } of gates.splice(0)) gate.open();
      yahoo.setFaults([]);
      await database.sql(`delete from service_state where key = 'paused'`);
      const alive = await Promise.all(
        nodes.map(async (node) => {
          if (await answers(node)) return node;
          await lapseLeases(database, node.name);
          return start({}, onTestFinished as End);
        }),
      );
      await allJobsEnded(database);
      return alive;
    },
    async admit(symbols) {
      const { admit, queue } = await startNode(database);
      await admit(symbols);
      await queue.stop();
    },
    hold(symbol, { most = Number.POSITIVE_INFINITY } = {}) {
      const gate = makeGate();
      gates.push({ target: chartOf(symbol), gate, left: most });
      return gate;
    },
    requests: (symbol) =>
      yahoo
        .requests()
        .map(({ host, path }) => decodeURIComponent(`${host}${path}`))
        .filter((target) => chartOf(symbol).test(target)).length,
  };
}

const answers = ({ at }: ClusterNode) =>
  fetch(`${at}/health/live`).then(
    ({ ok }) => ok,
    () => false,
  );

const chartOf = (symbol: string) => new RegExp(`/chart/${symbol.replaceAll('.', '\\.')}\\?`);

const untilMaxMs = 60_000; // far beyond what anything here takes, so that a failure says what did not come

/** Looks again and again until it is so. */
export async function until<T>(look: () => Promise<T | false | null | undefined>): Promise<T> {
  const late = new Error('it did not become so');
  for (const end = Date.now() + untilMaxMs; Date.now() < end; await sleep(20)) {
    const found = await look();
    if (found) return found;
  }
  throw late;
}

/** A transaction of the test's own that holds locks, so that a node stands still between its BEGIN and its COMMIT. */
export interface Holder {
  /** Runs a statement that takes a lock, and keeps it. */
  lock(text: string, parameters?: unknown[]): Promise<void>;
  /** Lets go of everything; nothing of it was written. */
  release(): Promise<void>;
}

export async function holder(database: Database): Promise<Holder> {
  const opened = Promise.withResolvers<Transaction>();
  const released = Promise.withResolvers<void>();
  const done = database.transaction<void>(async (on, rollback) => {
    await database.sql('set local idle_in_transaction_session_timeout = 0', [], { on });
    opened.resolve(on);
    await released.promise;
    rollback();
  });
  done.catch(opened.reject);
  const on = await opened.promise;
  const release = async () => {
    released.resolve();
    await done;
  };
  onTestFinished(release);
  return {
    async lock(text, parameters = []) {
      await database.sql(text, parameters, { on });
    },
    release,
  };
}

/** Sessions of the database that wait for a lock, with the statement that waits. */
export async function waitingSessions(database: Database): Promise<{ pid: number; query: string }[]> {
  return database.sql(
    `select pid, query from pg_stat_activity
     where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`,
  );
}

/** What every lease looks like once nobody has touched it for a minute. */
export async function lapseLeases(database: Database, node?: string): Promise<void> {
  await database.sql(
    `update pgboss.job q set heartbeat_on = heartbeat_on - interval '1 minute'
     from onboarding_jobs j where q.id = j.queue_entry and q.state = 'active' and ($1::text is null or j.node = $1)`,
    [node ?? null],
  );
}

export const isEnded = `status not in ('pending', 'processing')`;

/** Resolves once no job is unfinished. */
export async function allJobsEnded(database: Database): Promise<void> {
  await until(async () => {
    const [row] = await database.sql<{ left: number }>(
      `select count(*)::int as left from onboarding_jobs where not (${isEnded})`,
    );
    return row!.left === 0;
  });
}

let sets = 0;

/** A fresh set of symbols: the stand-in knows all of them. */
export const newSymbols = (count: number): string[] => {
  const prefix = (sets++).toString(36).toUpperCase().padStart(4, '0');
  return Array.from({ length: count }, (_, n) => `X${prefix}${String(n).padStart(2, '0')}`);
};

export interface JournalLine {
  symbol: string;
  job_id: string;
  sequence: number;
  position: number;
  from_state: string | null;
  to_state: string;
  event: string;
  node: string | null;
  claim_epoch: number;
}

export function journal(database: Database, after = 0): Promise<JournalLine[]> {
  return database.sql<JournalLine>(
    `select symbol, job_id, sequence, position::int as position, from_state, to_state, event, node, claim_epoch
     from onboarding_transitions where position > $1 order by position`,
    [after],
  );
}

/**
 * What is wrong with a journal: holes, states that do not follow one another, a claim that wrote after it was taken
 * over, and, at any moment in the order of the commits, more jobs running than a node or the cluster may run.
 */
export function faultsIn(
  lines: readonly JournalLine[],
  { perNode = Number.POSITIVE_INFINITY, cluster = Number.POSITIVE_INFINITY } = {},
): string[] {
  const faults: string[] = [];
  const last = new Map<string, JournalLine>();
  const running = new Map<string, string>();
  for (const line of lines) {
    const { job_id: job, symbol, sequence, from_state, to_state, node, claim_epoch } = line;
    const before = last.get(job);
    const here = `${symbol} ${sequence}`;
    if (sequence !== (before?.sequence ?? 0) + 1) faults.push(`${here} after ${before?.sequence}`);
    if (from_state !== (before?.to_state ?? null))
      faults.push(`${here}: ${from_state} after ${before?.to_state}`);
    if (claim_epoch < (before?.claim_epoch ?? 0)) faults.push(`${here}: written by claim ${claim_epoch}`);
    if (claim_epoch === before?.claim_epoch && before.node !== null && node !== before.node)
      faults.push(`${here}: claim ${claim_epoch} of ${before.node} written by ${node}`);
    last.set(job, line);
    if (to_state.endsWith('.running')) running.set(job, node!);
    else running.delete(job);
    const own = [...running.values()].filter((other) => other === node).length;
    if (own > perNode) faults.push(`${here}: ${own} run on ${node}`);
    if (running.size > cluster) faults.push(`${here}: ${running.size} run in the cluster`);
  }
  return faults;
}
