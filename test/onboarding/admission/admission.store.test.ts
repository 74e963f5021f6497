import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.orm.ts';
import { openDatabase } from '../../../src/open-database.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../../support/databases.ts';
import {
  emptyTables,
  holesIn,
  jobRow,
  journalOf,
  queueStates,
  startNode,
  type TestNode,
} from '../fixture.ts';

const symbols = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);
const unfinished = async (database: Database) => {
  const [row] = await database.sql<{ n: number }>(
    `select count(*)::int as n from onboarding_jobs where status in ('pending', 'processing')`,
  );
  return row!.n;
};

describeOnEveryDatabase('the admission', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const start = async (options?: Parameters<typeof startNode>[1]) => {
    const node = await startNode(database, options);
    await emptyTables(database);
    return node;
  };

  test('creates one job per symbol, with its queue entry and its first journal row', async () => {
    const node = await start();
    const answer = await node.admit(['MSFT', { symbol: 'AAPL', reason: 'manual' }]);
    expect(answer).toEqual({
      kind: 'admitted',
      jobs: [
        { symbol: 'AAPL', jobId: expect.any(String) },
        { symbol: 'MSFT', jobId: expect.any(String) },
      ],
    });
    expect(await jobRow(database, 'AAPL')).toMatchObject({
      reason: 'manual',
      requested_by: 'local',
      status: 'pending',
      state: 'pending',
      phase: 'fetch',
      sequence: 1,
      claim_epoch: 0,
      node: null,
    });
    expect(await queueStates(database)).toEqual({ AAPL: 'created', MSFT: 'created' });
    const journal = await journalOf(database);
    expect(journal.map(({ symbol, event, to_state }) => [symbol, event, to_state])).toEqual([
      ['AAPL', 'job.created', 'pending'],
      ['MSFT', 'job.created', 'pending'],
    ]);
    expect(holesIn(journal)).toEqual([]);
  });

  test('joins an unfinished job instead of making a second one, also when the queue is full', async () => {
    const node = await start({ depthMax: 1 });
    const first = await node.admit(['AAPL']);
    expect(await node.admit(['AAPL'])).toEqual(first);
    expect(await node.admit([])).toEqual({ kind: 'admitted', jobs: [] });
    expect(await journalOf(database)).toHaveLength(1);
  });

  test('fills the queue to its last place, then refuses and stores nothing', async () => {
    const node = await start({ depthMax: 5 });
    await node.admit(symbols('A', 3));
    expect(await node.admit(['A0', 'B0', 'B1', 'B2'])).toEqual({
      kind: 'queue_full',
      depth: 3,
      limit: 5,
      needed: 3,
    });
    expect(Object.keys(await queueStates(database)).sort()).toEqual(symbols('A', 3));
    expect((await journalOf(database)).map(({ symbol }) => symbol)).toEqual(symbols('A', 3));
    expect(await node.admit(['A0', 'B0', 'B1'])).toMatchObject({ kind: 'admitted' });
    expect(await unfinished(database)).toBe(5);
  });

  test('reports an upload that can never fit, at any current depth', async () => {
    const node = await start({ depthMax: 2 });
    await node.admit(['A', 'B']);
    const never = { kind: 'too_many_symbols', needed: 3, limit: 2 };
    expect(await node.admit(['C', 'D', 'E'])).toEqual(never);
  });

  test('admits refreshes into the room that uploads leave, and refuses nothing because of them', async () => {
    const node = await start({ depthMax: 3 });
    const refresh = (symbol: string) => ({ symbol, reason: 'refresh' as const });
    const answer = await node.admit([refresh('R1'), refresh('R2'), 'NEED', refresh('R3')]);
    expect(answer).toMatchObject({ jobs: [{ symbol: 'NEED' }, { symbol: 'R1' }, { symbol: 'R2' }] });
    expect(await node.admit([refresh('R4')])).toEqual({ kind: 'admitted', jobs: [] });
  });

  test('admits no refresh if the limit was lowered below the number of unfinished jobs', async () => {
    await (await start({ depthMax: 5 })).admit(symbols('A', 5));
    const node = await startNode(database, { depthMax: 2 });
    const refreshes = symbols('R', 8).map((symbol) => ({ symbol, reason: 'refresh' as const }));
    expect(await node.admit(refreshes)).toEqual({ kind: 'admitted', jobs: [] });
    expect(await unfinished(database)).toBe(5);
  });

  test('is not blocked by a job that failed: the symbol gets a new one', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    const [taken] = await node.jobs.claim(1);
    await node.walk(taken!, 'processing.fetch.running', 'failed');
    const again = await node.admit(['AAPL']);
    expect(again).toMatchObject({ kind: 'admitted', jobs: [{ symbol: 'AAPL' }] });
    const rows = await database.sql('select status from onboarding_jobs order by id');
    expect(rows).toEqual([{ status: 'failed' }, { status: 'pending' }]);
  });

  test('is enforced by the index, which refuses a second unfinished job of a symbol', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    const second = database.sql(
      `insert into onboarding_jobs (id, symbol, reason, status, state, phase, machine_version)
       select gen_random_uuid(), symbol, reason, 'processing', state, phase, 1 from onboarding_jobs`,
    );
    await expect(second).rejects.toMatchObject({ code: '23505' });
  });
});

describeOnDatabase('postgres', 'the admission of several nodes', (makeDatabase) => {
  const nodes: TestNode[] = [];
  const databases: Database[] = [];
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
    const { databaseUrl } = database;
    for (let n = 0; n < 3; n += 1) {
      databases.push(await openDatabase({ databaseUrl, dataDir: null, fsync: false }));
    }
  });
  afterAll(async () => {
    for (const other of databases) await other.close();
  });
  beforeEach(async () => {
    nodes.splice(0);
    for (const [n, other] of databases.entries()) nodes.push(await startNode(other, { node: `node-${n}` }));
    await emptyTables(database);
  });

  test('never exceeds the depth: of 90 concurrent symbols in groups of three, 48 are admitted', async () => {
    const uploads = Array.from({ length: 30 }, (_, n) => nodes[n % 3]!.admit(symbols(`U${n}X`, 3)));
    const answers = await Promise.all(uploads);
    const admitted = answers.flatMap((answer) => (answer.kind === 'admitted' ? answer.jobs : []));
    expect(await unfinished(database)).toBe(48); // three at a time, the 17th upload finds room for two
    expect(admitted).toHaveLength(48);
    const full = answers.filter((answer) => answer.kind === 'queue_full');
    expect(full).toHaveLength(14);
    expect(full.every((answer) => 'depth' in answer && answer.depth === 48)).toBe(true);
    expect(Object.keys(await queueStates(database))).toHaveLength(48);
    expect(holesIn(await journalOf(database))).toEqual([]);
  });

  test('fills the queue exactly when symbols arrive one by one', async () => {
    const answers = await Promise.all(symbols('S', 70).map((symbol, n) => nodes[n % 3]!.admit([symbol])));
    expect(answers.filter(({ kind }) => kind === 'admitted')).toHaveLength(50);
    expect(await unfinished(database)).toBe(50);
  });

  test('creates one job for a symbol that many uploads need concurrently, in any order', async () => {
    const wanted = symbols('S', 6);
    const orders = Array.from({ length: 18 }, (_, n) => [...wanted.slice(n % 6), ...wanted.slice(0, n % 6)]);
    const answers = await Promise.all(orders.map((order, n) => nodes[n % 3]!.admit(order)));
    const ids = new Set(
      answers.flatMap((answer) => ('jobs' in answer ? answer.jobs : [])).map(({ jobId }) => jobId),
    );
    expect(ids.size).toBe(6);
    expect(await unfinished(database)).toBe(6);
  });
});
