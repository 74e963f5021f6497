import { randomUUIDv7 } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.orm.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../../support/databases.ts';
import { emptyTables, holesIn, jobRow, journalOf, queueStates, recordOf, startNode } from '../fixture.ts';

describeOnEveryDatabase('operations', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const start = async (options?: Parameters<typeof startNode>[1]) => {
    const node = await startNode(database, options);
    await emptyTables(database);
    await database.sql(`delete from service_state where key = 'paused'`);
    return node;
  };
  const failed = async (node: Awaited<ReturnType<typeof start>>, symbol: string, state = 'failed') => {
    await node.admit([symbol]);
    const taken = (await node.jobs.claim(9)).find(({ claim }) => claim.symbol === symbol);
    await node.walk(taken!, 'processing.factors.running');
    const job = { phase: 'factors', attempt: 4, results: { bars: 250, proxyVersion: '2026-01-02' } } as const;
    await node.journal.commit([recordOf(taken!, state, { job })]);
    return (await jobRow(database, symbol)).id as string;
  };

  test('retry the same job at the failed phase, with all its attempts', async () => {
    const node = await start();
    const id = await failed(node, 'AAPL');
    expect(await node.operations.retry(id)).toEqual({ kind: 'retried' });
    expect(await jobRow(database, 'AAPL')).toMatchObject({
      id,
      status: 'pending',
      phase: 'factors',
      attempt: 1,
      resumes: 0,
      error_code: null,
      finished_at: null,
      results: { bars: 250 },
    });
    const [taken] = await node.jobs.claim(1);
    expect(taken).toMatchObject({
      claim: { jobId: id, epoch: 2 },
      progress: { phase: 'factors', attempt: 1 },
    });
    const journal = await journalOf(database);
    expect(journal.map(({ event }) => event).slice(-2)).toEqual(['job.retry', 'claimed']);
    expect(holesIn(journal)).toEqual([]);
  });

  test('have a retry forget what the failed attempt has used up', async () => {
    const node = await start();
    const id = await failed(node, 'AAPL');
    await database.sql(
      `update onboarding_jobs set waited_ms = 899000, resumes = 4, retry_at = now(), cancel_requested_at = now(),
         degraded = 'reference_unavailable', partial = true, universe_committed_at = now() where id = $1`,
      [id],
    );
    await node.operations.retry(id);
    expect(await jobRow(database, 'AAPL')).toMatchObject({
      state: 'pending',
      attempt: 1,
      waited_ms: '0',
      resumes: 0,
      retry_at: null,
      degraded: null,
      partial: false,
      outcome: null,
      node: null,
      error_message: null,
      error_phase: null,
      cancel_requested_at: null,
      universe_committed_at: null,
    });
    const [taken] = await node.jobs.claim(1);
    expect(taken?.progress).toMatchObject({ waitedMs: 0, resumes: 0, retryAt: null, partial: false });
    // Its symbol is not in the universe yet, and nobody asks for the end of the attempt before any more.
    expect((await node.operations.requests()).cancelled).toEqual([]);
    expect(await node.operations.cancel(id)).toEqual({ kind: 'requested' });
  });

  test('refuse a retry of an unknown, unfinished, cancelled or complete job, and of a busy symbol', async () => {
    const node = await start();
    expect(await node.operations.retry(randomUUIDv7())).toEqual({ kind: 'not_found' });
    const id = await failed(node, 'AAPL');
    const admission = await node.admit(['AAPL']);
    const other = admission.kind === 'admitted' ? admission.jobs[0]!.jobId : '';
    expect(await node.operations.retry(id)).toEqual({ kind: 'symbol_busy', jobId: other });
    expect(await node.operations.retry(other)).toEqual({ kind: 'not_retryable', status: 'pending' });
    const cancelled = await failed(node, 'MSFT', 'cancelled');
    expect(await node.operations.retry(cancelled)).toEqual({ kind: 'not_retryable', status: 'cancelled' });
    const complete = await failed(node, 'NVDA', 'completed');
    expect(await node.operations.retry(complete)).toEqual({ kind: 'not_retryable', status: 'completed' });
  });

  test('refuse a retry when the queue is full, and leave the job unchanged', async () => {
    const node = await start({ depthMax: 1 });
    const id = await failed(node, 'AAPL');
    await node.admit(['MSFT']);
    expect(await node.operations.retry(id)).toEqual({ kind: 'queue_full', depth: 1, limit: 1 });
    expect(await jobRow(database, 'AAPL')).toMatchObject({ status: 'failed', queue_entry: null });
  });

  test('cancel an unclaimed job immediately, and remove its entry', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    const { id } = await jobRow(database, 'AAPL');
    expect(await node.operations.cancel(id as string)).toEqual({ kind: 'cancelled' });
    expect(await jobRow(database, 'AAPL')).toMatchObject({ status: 'cancelled', queue_entry: null });
    expect(await node.jobs.claim(1)).toEqual([]);
    expect(holesIn(await journalOf(database))).toEqual([]);
    expect(await node.operations.cancel(id as string)).toEqual({
      kind: 'not_cancellable',
      status: 'cancelled',
    });
    expect((await node.admit(['AAPL'])).kind).toBe('admitted');
  });

  test('end a job that was given back while it backed off, and leave nothing to wait for', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    await database.sql(
      `update onboarding_jobs set status = 'processing', state = 'processing.fetch.backingOff', retry_at = now(),
         error_code = 'provider_timeout', error_message = 'late', error_phase = 'fetch' where symbol = 'AAPL'`,
    );
    const { id } = await jobRow(database, 'AAPL');
    expect(await node.operations.cancel(id as string)).toEqual({ kind: 'cancelled' });
    expect(await jobRow(database, 'AAPL')).toMatchObject({
      ...{ status: 'cancelled', state: 'cancelled', retry_at: null },
      ...{ error_code: null, error_message: null, error_phase: null, finished_at: expect.anything() },
    });
  });

  test('ask twice for the end of a job, and mean the first time', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    const [taken] = await node.jobs.claim(1);
    const asked = async () => {
      await node.operations.cancel(taken!.claim.jobId);
      return (await jobRow(database, 'AAPL')).cancel_requested_at;
    };
    const first = await asked();
    expect(first).not.toBeNull();
    expect(await asked()).toEqual(first);
  });

  test('notify the node of a claimed job, until the universe phase is committed', async () => {
    const node = await start();
    await node.admit(['AAPL', 'MSFT']);
    const taken = await node.jobs.claim(2);
    const of = (symbol: string) => taken.find(({ claim }) => claim.symbol === symbol)!;
    expect(await node.operations.cancel(of('AAPL').claim.jobId)).toEqual({ kind: 'requested' });
    const { jobId, symbol, epoch } = of('AAPL').claim;
    expect(await node.operations.requests()).toEqual({
      paused: false,
      cancelled: [{ jobId, symbol, epoch }],
    });

    await database.transaction((on) => node.fence.passPointOfNoReturn([of('MSFT').claim], { on }));
    expect(await node.operations.cancel(of('MSFT').claim.jobId)).toEqual({ kind: 'too_late' });
    await node.jobs.release(taken);
    expect(await node.operations.cancel(of('MSFT').claim.jobId)).toEqual({ kind: 'too_late' });
    expect(await node.operations.cancel(randomUUIDv7())).toEqual({ kind: 'not_found' });
  });

  test('pause every node, also those that start later, and block claims meanwhile', async () => {
    const node = await start();
    await node.admit(['AAPL']);
    await node.operations.setPaused(true);
    expect(await node.jobs.claim(1)).toEqual([]);
    expect((await node.operations.requests()).paused).toBe(true);
    await node.operations.setPaused(false);
    expect((await node.operations.requests()).paused).toBe(false);
    expect(await node.jobs.claim(1)).toHaveLength(1);
  });
});

describeOnDatabase('postgres', 'a cancellation against a claim', (makeDatabase) => {
  test('either comes first or is sent to the owning node: exactly one of the two', async () => {
    const database = await makeDatabase();
    const node = await startNode(database);
    for (let round = 0; round < 20; round += 1) {
      await emptyTables(database);
      await node.admit(['AAPL']);
      const { id } = await jobRow(database, 'AAPL');
      const [answer, taken] = await Promise.all([node.operations.cancel(id as string), node.jobs.claim(1)]);
      const row = await jobRow(database, 'AAPL');
      if (answer.kind === 'cancelled') expect([taken.length, row.status]).toEqual([0, 'cancelled']);
      else expect([answer.kind, taken.length, row.node]).toEqual(['requested', 1, 'node-1']);
      expect(holesIn(await journalOf(database))).toEqual([]);
      expect(Object.keys(await queueStates(database))).toHaveLength(1);
    }
  });
});
