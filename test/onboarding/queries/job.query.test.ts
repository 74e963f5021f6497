import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { jobReasons, jobStatuses } from '../../../machines/protocol.ts';
import { type JobsQuery, type JobView, jobOutcomes } from '../../../src/contract/schemas.ts';
import type { Viewer } from '../../../src/contract/service.ts';
import type { Database } from '../../../src/database/database.orm.ts';
import { type JobQueries, jobQueries } from '../../../src/onboarding/queries/job.query.ts';
import { totalsSql } from '../../../src/onboarding/queries/job-counts.query.ts';
import { compactJobCounts } from '../../../src/onboarding/upkeep/compact-job-counts.ts';
import { describeOnEveryDatabase } from '../../support/databases.ts';
import { numRuns } from '../../support/series.ts';
import { emptyTables, startNode } from '../fixture.ts';
import { seedJobs } from '../many-jobs.ts';

const operator: Viewer = { name: 'root', role: 'operator' };
const ada: Viewer = { name: 'ada', role: 'user' };
const bob: Viewer = { name: 'bob', role: 'user' };
const portfolio = '0198a1b2-0000-7000-8000-000000000001';
const start = Date.parse('2026-03-02T14:00:00Z');
const symbols = ['AAPL', 'BRK-B', '^GSPC', 'SAP.DE', 'MSFT'];
const needed = ['AAPL', 'BRK-B']; // by open lots; a closed one needs MSFT no more
const codes = ['no_price_data', 'provider_timeout'];

/** A hundred jobs of one hour, of all kinds; ids tell the time of nodes whose clocks are seconds off. */
function makeJobs(random: () => number) {
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  const unfinished = new Set<string>();
  return Array.from({ length: 100 }, (_, at) => {
    const symbol = pick(symbols);
    let status = pick(jobStatuses);
    if (status === 'pending' || status === 'processing') {
      if (unfinished.has(symbol)) status = 'failed';
      unfinished.add(symbol);
    }
    const created = start + Math.floor(random() * 60) * 60_000; // some at one moment
    const hex = (created + Math.floor((random() - 0.5) * 10_000)).toString(16).padStart(12, '0');
    return {
      id: `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${at.toString(16).padStart(12, '0')}`,
      symbol,
      status,
      reason: pick(jobReasons),
      outcome: status === 'completed' ? pick(jobOutcomes) : null,
      error_code: status === 'failed' ? pick(codes) : null,
      created_at: new Date(created).toISOString(),
    };
  });
}

type Job = ReturnType<typeof makeJobs>[number];

const moment = fc
  .integer({ min: -5, max: 65 })
  .map((minute) => new Date(start + minute * 60_000).toISOString());
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
const queries: fc.Arbitrary<JobsQuery> = fc
  .record({
    status: maybe(fc.subarray([...jobStatuses], { minLength: 1 })),
    symbol: maybe(fc.constantFrom(...symbols)),
    outcome: maybe(fc.constantFrom(...jobOutcomes)),
    error_code: maybe(fc.constantFrom(...codes, 'no_such_code')),
    reason: maybe(fc.constantFrom(...jobReasons)),
    portfolio_id: maybe(fc.constant(portfolio)),
    created_from: maybe(moment),
    created_to: maybe(moment),
    limit: fc.integer({ min: 1, max: 30 }),
  })
  .map((query) => query as JobsQuery);

function matches(job: Job, query: JobsQuery): boolean {
  return (
    (!query.status || query.status.includes(job.status)) &&
    (['symbol', 'outcome', 'error_code', 'reason'] as const).every(
      (name) => query[name] === undefined || query[name] === job[name],
    ) &&
    (!query.portfolio_id || needed.includes(job.symbol)) &&
    (!query.created_from || job.created_at >= query.created_from) &&
    (!query.created_to || job.created_at < query.created_to)
  );
}

describeOnEveryDatabase('listing jobs', (makeDatabase) => {
  let database: Database;
  let jobs: Job[];
  let list: JobQueries['list'];
  beforeAll(async () => {
    database = await makeDatabase();
    ({ list } = jobQueries(database));
    let seed = 7;
    jobs = makeJobs(() => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    });
    await database.sql(
      `insert into onboarding_jobs (id, symbol, reason, status, state, outcome, phase, error_code, machine_version, created_at)
       select id, symbol, reason, status, status, outcome, 'fetch', error_code, 1, created_at
       from jsonb_to_recordset($1::jsonb) as j(id uuid, symbol text, reason text, status text, outcome text,
         error_code text, created_at timestamptz)`,
      [JSON.stringify(jobs)],
    );
    await database.sql(
      `insert into portfolios (id, owner, name, base_currency) values ($1, 'ada', 'p', 'USD')`,
      [portfolio],
    );
    await database.sql(
      `insert into positions (id, portfolio_id, line, symbol, needs_symbol, investment_class, quantity, multiplier,
         entry_price, entry_date, exit_date)
       select ('0198a1b2-0000-7000-8000-00000000000' || line)::uuid, $1, line, symbol, symbol, 'PUBLIC', 1, 1, 1,
         '2026-01-02', exit_date
       from (values (1, 'AAPL', null), (2, 'AAPL', null), (3, 'BRK-B', null), (4, 'MSFT', date '2026-02-02'))
         as lots(line, symbol, exit_date)`,
      [portfolio],
    );
  });

  const everyPage = async (query: JobsQuery) => {
    const found: JobView[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await list({ ...query, ...(cursor && { cursor }) }, operator);
      expect(page!.jobs.length).toBeLessThanOrEqual(query.limit);
      found.push(...page!.jobs);
      expect(found.length).toBeLessThanOrEqual(jobs.length); // or it would turn in circles for ever
      cursor = page!.next_cursor;
    }
    return found;
  };

  test('gives each matching job exactly once, newest first, whatever the filters and the page', async () => {
    await fc.assert(
      fc.asyncProperty(queries, async (query) => {
        const expected = jobs.filter((job) => matches(job, query)).map(({ id }) => id);
        const found = await everyPage(query);
        expect(found.map(({ job_id }) => job_id)).toEqual(expected.sort().reverse());
      }),
      { numRuns, seed: 11 },
    );
  }, 600_000);

  test("of a portfolio is for its owner and for operators; anybody else's is not there", async () => {
    const query = { portfolio_id: portfolio, limit: 500 };
    const ofOperator = await list(query, operator);
    expect(ofOperator!.jobs.length).toBeGreaterThan(0);
    expect(await list(query, ada)).toEqual(ofOperator);
    expect(await list(query, bob)).toBeNull();
    expect(
      await list({ ...query, portfolio_id: '0198a1b2-0000-7000-8000-00000000ffff' }, operator),
    ).toBeNull();
  });
});

describeOnEveryDatabase('totals', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  const counted = async () => {
    const rows = await database.sql<{ status: string; n: number }>(
      'select status, count(*)::int as n from onboarding_jobs group by status',
    );
    const found = Object.fromEntries(rows.map(({ status, n }) => [status, n]));
    return Object.fromEntries(jobStatuses.map((status) => [status, found[status] ?? 0]));
  };

  test('stay true through every kind of change', async () => {
    const node = await startNode(database);
    await seedJobs(database, { jobs: 300, transitions: 2 });
    const check = async () => {
      const { counts, depth } = await jobQueries(database).totals();
      expect(counts).toEqual(await counted());
      expect(depth).toBe(counts.pending + counts.processing);
    };
    await check();
    await node.admit(['AAPL', 'MSFT', 'TSLA', 'IBM']);
    await check();
    const [aapl, msft] = await node.jobs.claim(2);
    await check();
    await node.walk(aapl!, 'processing.fetch.running', 'completed');
    await node.walk(msft!, 'processing.fetch.running', 'processing.fetch.backingOff');
    await check();
    await node.walk(msft!, 'failed');
    await check();
    await node.operations.retry(msft!.claim.jobId);
    await check();
    const [waiting] = await database.sql<{ id: string }>(
      `select id from onboarding_jobs where status = 'pending' and symbol in ('TSLA', 'IBM') limit 1`,
    );
    await node.operations.cancel(waiting!.id);
    await check();
    await database.sql(`delete from onboarding_jobs where symbol = 'S1'`);
    await check();
    await Promise.all([compactJobCounts(database), compactJobCounts(database)]);
    await check();
    expect((await database.sql('select 1 from onboarding_job_counts')).length).toBe(5);
    await emptyTables(database);
    await check();
  });

  test('measure what ended within the hour: from the first phase for the queue, from the upload for its user', async () => {
    await startNode(database); // makes the tables of the queue, once
    await emptyTables(database);
    await database.sql(`
      insert into onboarding_jobs (id, symbol, reason, status, state, phase, machine_version, created_at, started_at, finished_at)
      select gen_random_uuid(), 'S' || row_number() over (), 'upload', status, status, 'cache', 1,
        now() - ended - waited - ran, now() - ended - ran, now() - ended
      from (values ('completed', interval '59 min', interval '4 s', interval '2 s'),
        ('failed', interval '1 min', interval '0 s', interval '4 s'),
        ('completed', interval '61 min', interval '0 s', interval '1000 s'),
        ('cancelled', interval '1 min', interval '0 s', interval '1000 s')) as ends(status, ended, waited, ran)`);
    const { totals } = jobQueries(database);
    const { throughput, meanRunSeconds } = await totals();
    expect(throughput).toEqual({ finished_last_hour: 2, median_seconds: 5 });
    expect(meanRunSeconds).toBeCloseTo(3, 6);
  });

  test('are read from a few rows: the job table is asked for the last hour alone', async () => {
    await startNode(database); // makes the tables of the queue, once
    await emptyTables(database);
    await seedJobs(database, { jobs: 5000 });
    await compactJobCounts(database);
    const [row] = await database.sql<{ 'QUERY PLAN': unknown }>(
      `explain (analyze, format json) ${totalsSql}`,
    );
    const plan = JSON.stringify(row!['QUERY PLAN']);
    expect(rowsRead(JSON.parse(plan), 'onboarding_jobs')).toBe(0);
    expect(rowsRead(JSON.parse(plan), 'onboarding_job_counts')).toBeLessThan(10);
  });
});

interface Plan {
  'Relation Name'?: string;
  'Actual Rows'?: number;
  'Rows Removed by Filter'?: number;
}

/** How many rows of a table the nodes of a plan have read. */
function rowsRead(plan: unknown, table: string): number {
  if (typeof plan !== 'object' || plan === null) return 0;
  const own = plan as Plan;
  const rows =
    own['Relation Name'] === table ? own['Actual Rows']! + (own['Rows Removed by Filter'] ?? 0) : 0;
  return Object.values(plan).reduce<number>((sum, part) => sum + rowsRead(part, table), rows);
}
