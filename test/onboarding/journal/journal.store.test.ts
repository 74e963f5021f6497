import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.orm.ts';
import type { TransitionRecord } from '../../../src/onboarding/job/ports.ts';
import { openDatabase } from '../../../src/open-database.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../../support/databases.ts';
import { sessionsBlocked } from '../../support/gates.ts';
import { emptyTables, holesIn, jobRow, journalOf, queueStates, recordOf, startNode } from '../fixture.ts';

const lost = { code: 'claim_lost', retryable: false };

describeOnEveryDatabase('the journal', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const start = async (...symbols: string[]) => {
    const node = await startNode(database);
    await emptyTables(database);
    await node.admit(symbols);
    return {
      node,
      taken: (await node.jobs.claim(10)).sort((a, b) => (a.claim.symbol < b.claim.symbol ? -1 : 1)),
    };
  };
  const takeOver = (symbol: string) =>
    database.sql('update onboarding_jobs set claim_epoch = claim_epoch + 1 where symbol = $1', [symbol]);
  const state = async () => ({
    jobs: await database.sql('select * from onboarding_jobs order by id'),
    journal: await journalOf(database),
    queue: await queueStates(database),
  });

  test('writes transition and row together', async () => {
    const { node, taken } = await start('AAPL');
    const retryAt = Date.parse('2030-01-01T00:00:00.123Z');
    const error = { code: 'provider_timeout', message: 'No answer in 10 s', phase: 'fetch' as const };
    const running = recordOf(taken[0]!, 'processing.fetch.running', { event: 'permit.granted' });
    await node.journal.commit([running]);
    await node.journal.commit([
      recordOf(taken[0]!, 'processing.fetch.backingOff', {
        sequence: 4,
        from: 'processing.fetch.running',
        event: 'fetch.failed',
        actorSnapshot: { value: 'x' },
        job: { attempt: 2, retryAt, waitedMs: 7, error, results: { bars: 3 } },
      }),
    ]);
    const row = await jobRow(database, 'AAPL');
    expect(row).toMatchObject({
      state: 'processing.fetch.backingOff',
      status: 'processing',
      sequence: 4,
      attempt: 2,
      waited_ms: '7',
      results: { bars: 3 },
      error_code: 'provider_timeout',
      error_phase: 'fetch',
      node: 'node-1',
      finished_at: null,
      actor_snapshot: { value: 'x' },
    });
    expect(new Date(String(row.retry_at)).getTime()).toBe(retryAt);
    expect(row.started_at).not.toBeNull();
    const journal = await journalOf(database);
    expect(journal.at(-1)).toMatchObject({
      sequence: 4,
      event: 'fetch.failed',
      error_code: 'provider_timeout',
      claim_epoch: 1,
    });
    expect(holesIn(journal)).toEqual([]);
  });

  test('settles the queue entry and makes the symbol ready in the transaction that records the end', async () => {
    const { node, taken } = await start('AAPL', 'MSFT');
    await database.sql(
      `insert into symbol_universe (symbol, is_active) values ('AAPL', true), ('MSFT', true)`,
    );
    const [aapl, msft] = taken;
    await node.walk(aapl!, 'processing.cache.running');
    await node.journal.commit([
      recordOf(aapl!, 'completed', { job: { status: 'completed', outcome: 'complete' } }),
      recordOf(msft!, 'failed', { job: { status: 'failed' } }),
    ]);
    expect(await queueStates(database)).toEqual({});
    expect(await jobRow(database, 'AAPL')).toMatchObject({
      status: 'completed',
      node: null,
      queue_entry: null,
      outcome: 'complete',
    });
    expect(await database.sql('select symbol from symbol_universe where ready_at is not null')).toEqual([
      { symbol: 'AAPL' },
    ]);
  });

  test('keeps the time at which a symbol first became ready', async () => {
    const { node, taken } = await start('AAPL');
    const ready = '2026-01-02T03:04:05.000Z';
    await database.sql(
      `insert into symbol_universe (symbol, is_active, ready_at) values ('AAPL', true, $1)`,
      [ready],
    );
    await node.journal.commit([recordOf(taken[0]!, 'completed', { job: { outcome: 'complete' } })]);
    const [row] = await database.sql<{ ready_at: string }>('select ready_at from symbol_universe');
    expect(new Date(row!.ready_at).toISOString()).toBe(ready);
  });

  test('writes all of a batch or nothing: a stale epoch leaves no trace, end and ready included', async () => {
    const { node, taken } = await start('AAPL', 'MSFT');
    await database.sql(
      `insert into symbol_universe (symbol, is_active) values ('AAPL', true), ('MSFT', true)`,
    );
    await takeOver('MSFT');
    const before = await state();
    const batch = taken.map((one) => recordOf(one, 'completed', { job: { outcome: 'complete' } }));
    await expect(node.journal.commit(batch)).rejects.toMatchObject({
      ...lost,
      details: { jobIds: [taken[1]!.claim.jobId] },
    });
    expect(await state()).toEqual(before);
    expect(await database.sql('select symbol from symbol_universe where ready_at is not null')).toEqual([]);
    await node.journal.commit(batch.slice(0, 1));
    expect(await queueStates(database)).toEqual({ MSFT: 'active' });
  });

  test('refuses records of an older claim of the same node', async () => {
    const { node, taken } = await start('AAPL');
    const [old] = taken;
    await takeOver('AAPL');
    const current = { ...old!, claim: { ...old!.claim, epoch: 2 } };
    const mixed = [recordOf(old!, 'failed'), recordOf(current, 'processing.fetch.running')];
    await expect(node.journal.commit(mixed)).rejects.toMatchObject(lost);
    expect(holesIn(await journalOf(database))).toEqual([]);
  });

  test('writes nothing twice when the result of a commit was lost', async () => {
    const { node, taken } = await start('AAPL', 'MSFT');
    await database.sql(`insert into symbol_universe (symbol, is_active) values ('AAPL', true)`);
    const [aapl, msft] = taken;
    const batch = [
      recordOf(aapl!, 'processing.cache.running'),
      recordOf(msft!, 'processing.fetch.running'),
      recordOf(aapl!, 'completed', { sequence: 4, from: 'processing.cache.running' }),
    ];
    await node.journal.commit(batch);
    const once = await state();
    await node.journal.commit(batch);
    expect(await state()).toEqual(once);
    await node.journal.commit([
      ...batch,
      recordOf(msft!, 'failed', { sequence: 4, from: 'processing.fetch.running' }),
    ]);
    const journal = await journalOf(database);
    expect(journal).toHaveLength(once.journal.length + 1);
    expect(holesIn(journal)).toEqual([]);
  });

  test('refuses a gap', async () => {
    const { node, taken } = await start('AAPL');
    const before = await state();
    const skipping = recordOf(taken[0]!, 'processing.fetch.running', { sequence: 4 });
    await expect(node.journal.commit([skipping])).rejects.toMatchObject({
      code: 'internal_error',
      message: expect.stringMatching(/expected transition 3 .* got: 4/),
    });
    expect(await state()).toEqual(before);
    const torn = [recordOf(taken[0]!, 'processing.fetch.running'), { ...skipping, sequence: 5 }];
    await expect(node.journal.commit(torn)).rejects.toMatchObject({ code: 'internal_error' });
    expect(await state()).toEqual(before);
  });

  test('merges results, so that what a phase pinned while it ran survives the next transition', async () => {
    const { node, taken } = await start('AAPL');
    const [aapl] = taken;
    const pin = (version: string) =>
      database.transaction((on) => node.fence.pin(aapl!.claim, 'proxyVersion', version, { on }));
    expect(await pin('2026-07-30')).toBe('2026-07-30');
    expect(await pin('2026-07-31')).toBe('2026-07-30');
    await node.journal.commit([
      recordOf(aapl!, 'processing.factors.running', { job: { results: { bars: 251 } } }),
    ]);
    expect((await jobRow(database, 'AAPL')).results).toEqual({ bars: 251, proxyVersion: '2026-07-30' });
  });

  test('fences a stale epoch: it passes no check, pins nothing, and its effects are rolled back', async () => {
    const { node, taken } = await start('AAPL');
    const [{ claim }] = taken as [(typeof taken)[0]];
    await takeOver('AAPL');
    const effect = (fence: (on: Parameters<Parameters<Database['transaction']>[0]>[0]) => Promise<unknown>) =>
      database.transaction(async (on) => {
        await database.sql(`insert into symbol_universe (symbol) values ('AAPL')`, [], { on });
        await fence(on);
      });
    const details = { jobId: claim.jobId };
    await expect(effect((on) => node.fence.check([claim], { on }))).rejects.toMatchObject({
      ...lost,
      details,
    });
    await expect(effect((on) => node.fence.passPointOfNoReturn([claim], { on }))).rejects.toMatchObject(lost);
    await expect(effect((on) => node.fence.pin(claim, 'a', 'b', { on }))).rejects.toMatchObject(lost);
    expect(await database.sql('select symbol from symbol_universe')).toEqual([]);
    expect(await jobRow(database, 'AAPL')).toMatchObject({ results: {}, universe_committed_at: null });
    await effect((on) => node.fence.check([{ ...claim, epoch: claim.epoch + 1 }], { on }));
    expect(await database.sql('select symbol from symbol_universe')).toEqual([{ symbol: 'AAPL' }]);
  });

  test('lets no job enter the universe after a cancellation, and stores when cancelling became too late', async () => {
    const { node, taken } = await start('AAPL');
    const [{ claim }] = taken as [(typeof taken)[0]];
    const pass = () => database.transaction((on) => node.fence.passPointOfNoReturn([claim], { on }));
    await pass();
    const { universe_committed_at: first } = await jobRow(database, 'AAPL');
    await pass();
    expect((await jobRow(database, 'AAPL')).universe_committed_at).toBe(first);
    await database.sql('update onboarding_jobs set cancel_requested_at = now()');
    await expect(pass()).rejects.toMatchObject({ code: 'job_cancelled', retryable: false });
  });
});

describeOnDatabase('postgres', 'the journal of several writers', (makeDatabase) => {
  const others: Database[] = [];
  afterAll(async () => {
    for (const other of others) await other.close();
  });

  test('has gapless positions in commit order with concurrent writers', async () => {
    const database = await makeDatabase();
    const { databaseUrl } = database;
    others.push(await openDatabase({ databaseUrl, dataDir: null, fsync: false }));
    const nodes = [await startNode(database), await startNode(others[0]!, { node: 'node-2' })];
    await nodes[0]!.admit(Array.from({ length: 12 }, (_, n) => `S${n}`));
    const claims = await Promise.all(nodes.map(({ jobs }) => jobs.claim(6)));

    // A reader that follows the head must find every row below it: what it has passed can never appear later.
    const seen: number[] = [];
    let walking = true;
    const follow = async () => {
      while (walking) {
        const [row] = await database.sql<{ head: number; rows: number }>(
          `select (select position::int from feed_head) as head, count(*)::int as rows from onboarding_transitions`,
        );
        seen.push(row!.head - row!.rows);
      }
    };
    const following = follow();
    const steps = ['processing.fetch.running', 'processing.factors.running', 'processing.universe.running'];
    await Promise.all(
      claims.flatMap((own, index) => own.map((taken) => nodes[index]!.walk(taken, ...steps, 'failed'))),
    );
    walking = false;
    await following;

    const journal = await journalOf(database);
    expect(journal).toHaveLength(12 * 6);
    expect(holesIn(journal)).toEqual([]);
    expect(seen.every((missing) => missing === 0)).toBe(true);
    const order = await database.sql('select position from onboarding_transitions order by at, position');
    expect(order.map(({ position }) => Number(position))).toEqual(journal.map(({ position }) => position));
  });

  test('does not block other batches when a batch that waits for a row loses its claim', async () => {
    const database = await makeDatabase();
    const node = await startNode(database);
    await node.admit(['AAPL']);
    const [taken] = await node.jobs.claim(1);
    const gate = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const takeover = database.transaction(async (on) => {
      await database.sql('update onboarding_jobs set claim_epoch = claim_epoch + 1', [], { on });
      locked.resolve();
      await gate.promise;
    });
    await locked.promise;
    const record: TransitionRecord = recordOf(taken!, 'failed');
    const writing = node.journal.commit([record]);
    await sessionsBlocked(database);
    const refused = expect(writing).rejects.toMatchObject(lost);
    gate.resolve();
    await takeover;
    await refused;
    expect(await jobRow(database, 'AAPL')).toMatchObject({ status: 'pending', claim_epoch: 2, sequence: 2 });
  });
});
