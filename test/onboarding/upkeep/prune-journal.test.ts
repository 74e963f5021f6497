import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.orm.ts';
import { jobQueries } from '../../../src/onboarding/queries/job.query.ts';
import { pruneJournal } from '../../../src/onboarding/upkeep/prune-journal.ts';
import { retentionStore } from '../../../src/onboarding/upkeep/retention.store.ts';
import { TestClock } from '../../support/clock.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../../support/databases.ts';
import { holdOpen } from '../../support/gates.ts';
import { emptyTables, journalOf, startNode, type TestNode } from '../fixture.ts';

const full = [
  'processing.fetch.running',
  'processing.factors.running',
  'processing.universe.running',
  'processing.snapshot.running',
  'processing.cache.running',
  'completed',
];
const rowsOfOne = full.length + 2; // created and claimed
const small = { slice: 5, batch: 3 };

describeOnEveryDatabase('the journal', (makeDatabase) => {
  let database: Database;
  let node: TestNode;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  beforeEach(async () => {
    node = await startNode(database);
    await emptyTables(database);
  });

  const onboard = async (symbol: string, states = full) => {
    await node.admit([symbol]);
    const [taken] = await node.jobs.claim(1);
    await node.walk(taken!, ...states);
    return taken!;
  };
  const age = (symbol: string, days: number) =>
    database.sql(`update onboarding_transitions set at = now() - $2 * interval '1 day' where symbol = $1`, [
      symbol,
      days,
    ]);
  const prune = async (limits: { days: number; rows: number }, at = Date.now()) => {
    const clock = new TestClock(at);
    const { signal } = new AbortController();
    const done = pruneJournal(retentionStore(database, small), { ...limits, clock, signal });
    let running = true;
    const ended = done.finally(() => {
      running = false;
    });
    while (running) {
      await Promise.race([clock.sleeping(), ended]);
      if (running) await clock.advanceToNext();
    }
  };
  const head = async () => {
    const [row] = await database.sql<{ position: number; floor: number }>(
      'select position::int as position, floor::int as floor from feed_head',
    );
    return row!;
  };
  const kept = async () => {
    const counts: Record<string, number> = {};
    for (const { symbol } of await journalOf(database)) counts[symbol] = (counts[symbol] ?? 0) + 1;
    return counts;
  };

  test('loses what is older than its days, whole jobs at a time, and the floor tells from where on it is whole', async () => {
    for (const symbol of ['OLD1', 'OLD2', 'NEW']) await onboard(symbol);
    for (const symbol of ['OLD1', 'OLD2']) await age(symbol, 31);
    await prune({ days: 30, rows: 1000 });
    expect(await kept()).toEqual({ NEW: rowsOfOne });
    expect(await head()).toEqual({ position: 3 * rowsOfOne, floor: 2 * rowsOfOne });
    await prune({ days: 30, rows: 1000 }, Date.now() + 30 * 86_400_000); // the same, by the clock of the service
    expect(await kept()).toEqual({});
    expect(await head()).toEqual({ position: 3 * rowsOfOne, floor: 3 * rowsOfOne });
  });

  test('loses what is beyond its number of rows, the newest stay', async () => {
    for (const symbol of ['A', 'B', 'C']) await onboard(symbol);
    // A changed portfolio takes a position and no row.
    await database.sql('update feed_head set position = position + 40');
    await onboard('D');
    await prune({ days: 30, rows: 2 * rowsOfOne });
    expect(await kept()).toEqual({ C: rowsOfOne, D: rowsOfOne });
    expect((await head()).floor).toBe(2 * rowsOfOne);
    await prune({ days: 30, rows: 2 * rowsOfOne - 1 });
    // C still has rows above the floor: a timeline is whole or gone.
    expect(await kept()).toEqual({ C: rowsOfOne, D: rowsOfOne });
    expect((await head()).floor).toBe(2 * rowsOfOne + 1);
  });

  test('keeps all of a job that is not finished, however old it is, so that it goes on without a gap', async () => {
    const taken = await onboard('SLOW', full.slice(0, 2));
    await onboard('DONE');
    for (const symbol of ['SLOW', 'DONE']) await age(symbol, 400);
    await prune({ days: 1, rows: 1000 });
    expect(await kept()).toEqual({ SLOW: 4 });
    await node.walk(taken, ...full.slice(2));
    const own = (await journalOf(database)).map(({ sequence }) => sequence);
    expect(own).toEqual(own.map((_, index) => index + 1));
    await prune({ days: 1, rows: 1000 });
    expect(await kept()).toEqual({ SLOW: rowsOfOne });
  });

  test('that was lost leaves the job readable, and a late retry goes on behind it', async () => {
    const { claim } = await onboard('LATE', ['processing.fetch.running', 'failed']);
    await age('LATE', 31);
    await prune({ days: 30, rows: 1000 });
    const queries = jobQueries(database);
    expect(await queries.find(claim.jobId)).toMatchObject({ status: 'failed', sequence: 4, timeline: [] });
    expect(await node.operations.retry(claim.jobId)).toEqual({ kind: 'retried' });
    const job = (await queries.find(claim.jobId))!;
    expect(job.timeline.map(({ sequence }) => sequence)).toEqual([5]);
    expect(job.sequence).toBe(5);
  });

  test('is read no further than a few rows when nothing has to go', async () => {
    await onboard('KEPT');
    const store = retentionStore(database, small);
    const floor = await store.raiseFloor({ since: Date.now() - 1000 * 86_400_000, rows: 1000 });
    expect([floor, await store.prune(floor!, 0)]).toEqual([0, null]);
  });
});

describeOnDatabase('postgres', 'the journal of several nodes', (makeDatabase) => {
  test('is pruned by one of them at a time', async () => {
    const database = await makeDatabase();
    const node = await startNode(database);
    await node.admit(['A']);
    const [taken] = await node.jobs.claim(1);
    await node.walk(taken!, ...full);
    const store = retentionStore(database, small);
    const commit = await holdOpen(database, 'select pg_advisory_xact_lock(727276)');
    const due = { since: Date.now() + 1000, rows: 1000 };
    expect([await store.raiseFloor(due), await store.prune(8, 0)]).toEqual([null, null]);
    expect(await journalOf(database)).toHaveLength(rowsOfOne);
    await commit();
    expect(await store.raiseFloor(due)).toBe(rowsOfOne);
  });
});
