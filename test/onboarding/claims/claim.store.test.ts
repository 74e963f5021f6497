import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.orm.ts';
import { openDatabase } from '../../../src/open-database.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../../support/databases.ts';
import { emptyTables, holesIn, jobRow, journalOf, limits, queueStates, startNode } from '../fixture.ts';

describeOnEveryDatabase('claims', (makeDatabase, kind) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const start = async (options?: Parameters<typeof startNode>[1]) => {
    const node = await startNode(database, options);
    await emptyTables(database);
    return node;
  };
  // What a lease that lapsed, or a process that died, leaves behind: the entry is free, the job row has its owner.
  const lapse = () =>
    database.sql(
      `update pgboss.job set state = 'retry', retry_count = retry_count + 1, started_on = null
       where name = 'symbol-onboarding' and state = 'active'`,
    );

  test('takes as many as there is room for, the longest waiting first', async () => {
    const node = await start();
    for (const symbol of ['C', 'A', 'B']) await node.admit([symbol]);
    const taken = await node.jobs.claim(2);
    expect(taken.map(({ claim }) => claim.symbol)).toEqual(['C', 'A']);
    expect((await node.jobs.claim(2)).map(({ claim }) => claim.symbol)).toEqual(['B']);
    expect(await node.jobs.claim(2)).toEqual([]);
  });

  test('raises the epoch, names its node, and is a journal row', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    const [taken] = await node.jobs.claim(1);
    expect(taken).toMatchObject({
      claim: { symbol: 'AAPL', reason: 'upload', epoch: 1 },
      progress: { status: 'pending', phase: 'fetch', attempt: 1, retryAt: null, waitedMs: 0, resumes: 0 },
      sequence: 2,
      state: 'pending',
    });
    expect(await jobRow(database, 'AAPL')).toMatchObject({ claim_epoch: 1, node: 'node-1', sequence: 2 });
    const journal = await journalOf(database);
    expect(journal.at(-1)).toMatchObject({
      event: 'claimed',
      from_state: 'pending',
      to_state: 'pending',
      claim_epoch: 1,
    });
    expect(holesIn(journal)).toEqual([]);
    const [row] = await database.sql('select trace from onboarding_transitions where sequence = 2');
    expect(row, 'a replay begins where the child did').toEqual({
      trace: { spawned: { progress: taken!.progress, limits } },
    });
  });

  test('counts a takeover when the owner died at work, and resumes where it had come to', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    const [taken] = await node.jobs.claim(1);
    await node.walk(taken!, 'processing.fetch.running');
    await lapse();
    const [again] = await (await startNode(database, { node: 'node-2' })).jobs.claim(1);
    expect(again).toMatchObject({
      claim: { jobId: taken!.claim.jobId, epoch: 2 },
      progress: { status: 'processing', resumes: 1, attempt: 1 },
      state: 'processing.fetch.waiting',
    });
    expect((await journalOf(database)).at(-1)).toMatchObject({
      event: 'resumed',
      from_state: 'processing.fetch.running',
      to_state: 'processing.fetch.waiting',
    });
    expect(holesIn(await journalOf(database))).toEqual([]);
  });

  test('counts none when the owner died before it began', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    await node.jobs.claim(1);
    await lapse();
    expect(await node.jobs.claim(1)).toMatchObject([{ claim: { epoch: 2 }, progress: { resumes: 0 } }]);
  });

  test('counts none after a release, and the next claim may come at once', async () => {
    const node = await start();
    await node.admit(['AAPL', 'MSFT']);
    const taken = await node.jobs.claim(2);
    await node.walk(taken[0]!, 'processing.fetch.running');
    await node.jobs.release(taken);
    expect(await jobRow(database, taken[0]!.claim.symbol)).toMatchObject({
      node: null,
      status: 'processing',
      resumes: 0,
    });
    const again = await node.jobs.claim(2);
    expect(again.map(({ claim, progress }) => [claim.epoch, progress.resumes])).toEqual([
      [2, 0],
      [2, 0],
    ]);
  });

  test('is given back by its holder only: a stale release changes nothing', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    const [old] = await node.jobs.claim(1);
    await lapse();
    const [current] = await (await startNode(database, { node: 'node-2' })).jobs.claim(1);
    await node.jobs.release([old!]);
    expect(await jobRow(database, 'AAPL')).toMatchObject({
      node: 'node-2',
      claim_epoch: current!.claim.epoch,
    });
    expect(await queueStates(database)).toEqual({ AAPL: 'active' });
  });

  test('ends a job that takes its process down too often, and settles its entry', async () => {
    const node = await start({ resumeLimit: 2 });
    await node.admit(['AAPL']);
    const [first] = await node.jobs.claim(1);
    await node.walk(first!, 'processing.fetch.running');
    for (const resumes of [1, 2]) {
      await lapse();
      expect(await node.jobs.claim(1)).toMatchObject([{ progress: { resumes } }]);
    }
    await lapse();
    expect(await node.jobs.claim(1)).toEqual([]);
    expect(await jobRow(database, 'AAPL')).toMatchObject({
      status: 'failed',
      state: 'failed',
      resumes: 3,
      node: null,
      queue_entry: null,
      error_code: 'resume_limit_exceeded',
      error_phase: 'fetch',
      finished_at: expect.anything(),
    });
    expect(await queueStates(database)).toEqual({});
    const journal = await journalOf(database);
    expect(journal.at(-1)).toMatchObject({ to_state: 'failed', error_code: 'resume_limit_exceeded' });
    expect(holesIn(journal)).toEqual([]);
    expect(await node.admit(['AAPL']), 'it blocks no new job').toMatchObject({ kind: 'admitted' });
  });

  test('settles a job whose cancellation was requested while no node held it', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    await node.admit(['MSFT']);
    const [taken] = await node.jobs.claim(1);
    await node.walk(taken!, 'processing.fetch.running');
    await database.sql(
      `update onboarding_jobs set cancel_requested_at = now(), retry_at = now(), error_code = 'provider_timeout',
         error_message = 'x', error_phase = 'fetch' where symbol = 'AAPL'`,
    );
    await lapse();
    expect((await node.jobs.claim(5)).map(({ claim }) => claim.symbol)).toEqual(['MSFT']);
    expect((await journalOf(database)).filter(({ event }) => event === 'claimed')).toHaveLength(2);
    expect(await jobRow(database, 'AAPL')).toMatchObject({
      status: 'cancelled',
      state: 'cancelled',
      node: null,
      queue_entry: null,
      retry_at: null,
      error_code: null,
      error_message: null,
      error_phase: null,
    });
    expect(await queueStates(database)).toEqual({ MSFT: 'active' });
    expect(holesIn(await journalOf(database))).toEqual([]);
  });

  test('clears an entry away whose job is over or gone', async () => {
    const node = await start();
    await node.admit(['AAPL', 'MSFT']);
    await database.sql(`update onboarding_jobs set status = 'completed' where symbol = 'AAPL'`);
    await database.sql(`delete from onboarding_jobs where symbol = 'MSFT'`);
    expect(await node.jobs.claim(5)).toEqual([]);
    expect(await queueStates(database)).toEqual({});
  });

  test('is released after the only process that could hold it has ended', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    await node.jobs.claim(1);
    await node.queue.stop();
    const next = await startNode(database, { node: 'node-2' });
    // Elsewhere the lease has to lapse first: its holder may be alive.
    expect(await next.jobs.claim(1)).toHaveLength(kind === 'pglite' ? 1 : 0);
  });

  test('keeps every field that a resume needs', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    const [taken] = await node.jobs.claim(1);
    const retryAt = Date.parse('2030-01-02T03:04:05.678Z');
    await database.sql(
      `update onboarding_jobs set status = 'processing', state = 'processing.factors.backingOff', phase = 'factors',
         attempt = 3, retry_at = $1, waited_ms = 5000000000, partial = true, degraded = 'calculation_failed',
         results = '{"bars": 251}', node = null`,
      [new Date(retryAt).toISOString()],
    );
    await lapse();
    const [again] = await node.jobs.claim(1);
    expect(again).toMatchObject({
      progress: {
        status: 'processing',
        phase: 'factors',
        attempt: 3,
        retryAt,
        waitedMs: 5_000_000_000,
        partial: true,
        degraded: 'calculation_failed',
        results: { bars: 251 },
        resumes: 0,
      },
      state: 'processing.factors.backingOff',
    });
    expect(again!.claim.jobId).toBe(taken!.claim.jobId);
  });
});

describeOnDatabase('postgres', 'claims of several nodes', (makeDatabase) => {
  test('give each job to one node', async () => {
    const database = await makeDatabase();
    const { databaseUrl } = database;
    const other = await openDatabase({ databaseUrl, dataDir: null, fsync: false });
    try {
      const nodes = [await startNode(database), await startNode(other, { node: 'node-2' })];
      await nodes[0]!.admit(Array.from({ length: 40 }, (_, n) => `S${n}`));
      const taken = await Promise.all(Array.from({ length: 16 }, (_, n) => nodes[n % 2]!.jobs.claim(3)));
      const symbols = taken.flat().map(({ claim }) => claim.symbol);
      expect(symbols).toHaveLength(40);
      expect(new Set(symbols).size).toBe(40);
      expect(holesIn(await journalOf(database))).toEqual([]);
      for (const { queue } of nodes) await queue.stop();
    } finally {
      await other.close();
    }
  });
});
