import fc from 'fast-check';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.orm.ts';
import { actorQueries } from '../../../src/onboarding/queries/actor.query.ts';
import { jobQueries } from '../../../src/onboarding/queries/job.query.ts';
import { type JobCursor, jobRetentionStore } from '../../../src/onboarding/upkeep/job-retention.store.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../../support/databases.ts';
import { holdOpen, sessionsBlocked } from '../../support/gates.ts';
import { numRuns } from '../../support/series.ts';
import { emptyTables, queueStates, startNode, type TestNode } from '../fixture.ts';

const day = '2026-03-02T14:30:00Z';

interface Row {
  id: string;
  symbol: string;
  status: string;
  finished_at: string | null;
  has_journal?: boolean;
}

let made = 0;
/** Each one greater than the one before, as those of one symbol are. */
const newId = () => `0198a1b2-0000-7000-8000-${(made++).toString(16).padStart(12, '0')}`;

/** Puts jobs into the tables as they are. */
async function insert(database: Database, rows: readonly Row[]): Promise<void> {
  await database.sql(
    `insert into onboarding_jobs (id, symbol, reason, status, state, phase, machine_version, sequence, finished_at)
     select r.id, r.symbol, 'upload', r.status, r.status, 'fetch', 1, 1, r.finished_at
     from jsonb_to_recordset($1::jsonb) as r(id uuid, symbol text, status text, finished_at timestamptz)`,
    [JSON.stringify(rows)],
  );
  await database.sql(
    `insert into onboarding_transitions (job_id, sequence, position, symbol, to_state, event, attempt, claim_epoch)
     select r.id, 1, row_number() over (), r.symbol, r.status, 'seeded', 1, 1
     from jsonb_to_recordset($1::jsonb) as r(id uuid, symbol text, status text, has_journal boolean) where r.has_journal`,
    [JSON.stringify(rows)],
  );
}

/** One run over all of them. */
async function prune(database: Database, batch = 2): Promise<void> {
  const store = jobRetentionStore(database, { batch });
  let after: JobCursor | null = null;
  do after = await store.prune(day, after);
  while (after !== null);
}

const countsOf = async (database: Database) => (await jobQueries(database).totals()).counts;

const old = '2026-03-01T09:00:00.123456Z';
const young = '2026-03-02T14:30:00.000001Z';

describeOnEveryDatabase('the retention of jobs', (makeDatabase) => {
  let database: Database;
  let node: TestNode;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  beforeEach(async () => {
    node = await startNode(database);
    await emptyTables(database);
  });
  const kept = async () =>
    (await database.sql<{ id: string }>('select id from onboarding_jobs order by id')).map(({ id }) => id);
  const job = (symbol: string, changes: Partial<Row> = {}): Row => ({
    id: newId(),
    symbol,
    status: 'completed',
    finished_at: old,
    ...changes,
  });

  test('deletes what ended before, and keeps the newest of a symbol however old it is', async () => {
    const rows = [
      job('A'),
      job('A', { status: 'failed' }),
      job('A'),
      job('B'),
      job('B', { finished_at: young }),
    ];
    await insert(database, rows);
    await prune(database);
    expect(await kept()).toEqual([rows[2]!.id, rows[4]!.id]);
    expect(await countsOf(database)).toMatchObject({ completed: 2, failed: 0 });
  });

  test('keeps jobs that are not finished or that still have a journal', async () => {
    const rows = [
      job('A', { status: 'processing' }), // a retry takes the end away; this one was made by hand
      job('A', { has_journal: true }),
      job('A'),
      job('A'),
    ];
    await insert(database, rows);
    await prune(database);
    expect(await kept()).toEqual([rows[0]!.id, rows[1]!.id, rows[3]!.id]);
    await database.sql('delete from onboarding_transitions');
    await prune(database);
    expect(await kept()).toEqual([rows[0]!.id, rows[3]!.id]);
  });

  test('leaves nothing behind: a deleted job is not found by anybody', async () => {
    const rows = [job('A', { status: 'failed' }), job('A')];
    await insert(database, rows);
    await prune(database);
    const { id } = rows[0]!;
    const live = () => ({ node: 'node-1', held: [] }) as never;
    const actors = actorQueries(database, live);
    expect(await jobQueries(database).find(id)).toBeNull();
    expect(await actors.timeline(id, { limit: 10 })).toBeNull();
    expect(await actors.findAt(id, 1)).toBeNull();
    expect(await node.operations.retry(id)).toEqual({ kind: 'not_found' });
    expect(await node.operations.cancel(id)).toEqual({ kind: 'not_found' });
    const { jobs } = (await jobQueries(database).list(
      { limit: 10, symbol: 'A' },
      { name: 'x', role: 'operator' },
    ))!;
    expect(jobs.map(({ job_id }) => job_id)).toEqual([rows[1]!.id]);
  });

  test('keeps what its rules say of any jobs, in batches of any size, and nothing changes the second time', async () => {
    const due = [old, '2026-03-01T09:00:00.123457Z', '2026-03-02T14:29:59.999999Z'];
    const one = fc.record({
      symbol: fc.constantFrom('A', 'B', 'C'),
      status: fc.constantFrom('completed', 'failed', 'cancelled', 'pending'),
      finished_at: fc.constantFrom(...due, day, young),
      has_journal: fc.boolean(),
    });
    const jobs = fc.array(one, { minLength: 1, maxLength: 25 }).map((given) => {
      const busy = new Set<string>();
      return given.map((row) => {
        if (row.status !== 'pending') return { ...row, id: newId() };
        const status = busy.has(row.symbol) ? 'failed' : 'pending'; // one of each symbol at a time
        busy.add(row.symbol);
        return { ...row, id: newId(), status, finished_at: status === 'pending' ? null : row.finished_at };
      });
    });
    await fc.assert(
      fc.asyncProperty(jobs, fc.integer({ min: 1, max: 30 }), async (rows, batch) => {
        await emptyTables(database);
        await insert(database, rows);
        const isNewest = ({ symbol, id }: Row) => !rows.some((row) => row.symbol === symbol && row.id > id);
        const expected = rows.filter(
          (row) => row.has_journal || !due.includes(row.finished_at ?? '') || isNewest(row),
        );
        await prune(database, batch);
        expect(await kept()).toEqual(expected.map(({ id }) => id).sort());
        const before = await database.sql('select * from onboarding_jobs order by id');
        await prune(database, batch);
        expect(await database.sql('select * from onboarding_jobs order by id')).toEqual(before);
        const counts = await countsOf(database);
        for (const status of ['completed', 'failed', 'cancelled', 'pending'] as const)
          expect(counts[status]).toBe(expected.filter((row) => row.status === status).length);
      }),
      { numRuns: Math.ceil(numRuns / 10), seed: 1 },
    );
  });
});

describeOnDatabase('postgres', 'the retention of jobs on several nodes', (makeDatabase) => {
  const failed = (): Row => ({ id: newId(), symbol: 'A', status: 'failed', finished_at: old });

  test('is the work of one of them at a time', async () => {
    const database = await makeDatabase();
    await insert(database, [failed(), failed()]);
    const commit = await holdOpen(database, 'select pg_advisory_xact_lock(727277)');
    await prune(database);
    expect(await database.sql('select id from onboarding_jobs')).toHaveLength(2);
    await commit();
    await prune(database);
    expect(await database.sql('select id from onboarding_jobs')).toHaveLength(1);
  });

  test('leaves a job alone that is being retried', async () => {
    const database = await makeDatabase();
    const rows = [failed(), failed()];
    await insert(database, rows);
    const retrySql = `update onboarding_jobs set status = 'pending', finished_at = null where id = $1`;
    const commit = await holdOpen(database, retrySql, [rows[0]!.id]);
    await prune(database);
    await commit();
    expect(await database.sql('select id from onboarding_jobs')).toHaveLength(2);
  });

  test('answers a retry that finds the job deleted, and leaves no entry of it', async () => {
    const database = await makeDatabase();
    const node = await startNode(database);
    const rows = [failed(), failed()];
    await insert(database, rows);
    const commit = await holdOpen(database, 'delete from onboarding_jobs where id = $1', [rows[0]!.id]);
    const retried = node.operations.retry(rows[0]!.id);
    await sessionsBlocked(database);
    await commit();
    expect(await retried).toEqual({ kind: 'not_found' });
    expect(await queueStates(database)).toEqual({});
    expect(await countsOf(database)).toMatchObject({ failed: 1, pending: 0 });
  });
});
