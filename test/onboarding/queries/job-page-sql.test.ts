import { beforeAll, expect, test } from 'vitest';
import { type JobsQuery, jobsQuerySchema } from '../../../src/contract/schemas.ts';
import type { Database } from '../../../src/database/database.orm.ts';
import { jobsSql } from '../../../src/onboarding/queries/job-page-sql.ts';
import { describeOnDatabase } from '../../support/databases.ts';
import type { PlanNode } from '../../support/plans.ts';
import { seedJobs } from '../many-jobs.ts';

const jobs = process.env.SOAK ? 130_000 : 20_000;
const portfolio = '0198a1b2-0000-7000-8000-000000000001';
const symbols = 20;

/** What a plan has read, rows that a filter threw away included. */
function rowsRead(node: PlanNode): number {
  const own =
    node['Relation Name'] || node['Node Type'] === 'Bitmap Index Scan'
      ? (node['Actual Rows'] + Number(node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
      : 0;
  return (node.Plans ?? []).reduce((sum, child) => sum + rowsRead(child), own);
}

describeOnDatabase('postgres', 'a page of jobs', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
    await seedJobs(database, { jobs });
    await database.sql(
      `insert into portfolios (id, owner, name, base_currency) values ($1, 'local', 'p', 'USD')`,
      [portfolio],
    );
    await database.sql(
      `insert into positions (id, portfolio_id, line, symbol, needs_symbol, investment_class, quantity, multiplier,
         entry_price, entry_date)
       select gen_random_uuid(), $1, i, 'S' || i, 'S' || i, 'PUBLIC', 1, 1, 1, '2026-01-02'
       from generate_series(1, $2::int) i`,
      [portfolio, symbols],
    );
    await database.sql('analyze positions');
  });

  const read = async (query: Partial<JobsQuery>) => {
    const { text, parameters } = jobsSql({ limit: 50, ...query });
    const [row] = await database.sql<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `explain (analyze, format json) ${text}`,
      parameters,
    );
    return rowsRead(row!['QUERY PLAN'][0].Plan);
  };

  const old = { created_from: '2026-02-24T00:00:00Z', created_to: '2026-02-24T06:00:00Z' };
  const few = 51 * 5;

  test.each<[string, Partial<JobsQuery>, number]>([
    ['of all jobs', {}, 51],
    ['of a frequent status', { status: ['completed'] }, few],
    ['of a status that nothing has now', { status: ['pending'] }, few],
    ['of two statuses', { status: ['pending', 'failed'] }, 2 * few],
    ['of all statuses', { status: ['pending', 'processing', 'completed', 'failed', 'cancelled'] }, 51],
    ['of a symbol', { symbol: 'S7' }, few],
    ['of a symbol and a status', { symbol: 'S7', status: ['failed', 'cancelled'] }, jobs / 40],
    ['of an outcome', { outcome: 'partial' }, 51],
    ['of an error', { error_code: 'no_price_data' }, few],
    ['of an error that nobody has', { error_code: 'no_such_code' }, 0],
    ['of an error and a status', { error_code: 'no_price_data', status: ['failed'] }, jobs / 40],
    ['of a reason', { reason: 'manual' }, 51],
    ['of a reason and an outcome', { reason: 'upload', outcome: 'complete' }, few],
    ['of a time long ago', old, 60 * 8],
    ['of a time before everything', { created_to: '2001-01-01T00:00:00Z' }, 0],
    ['of a time to come', { created_from: '2031-01-01T00:00:00Z' }, 0],
    ['of a time and a rare status', { ...old, status: ['failed', 'cancelled'] }, 60 * 8],
    ['of a portfolio', { portfolio_id: portfolio }, (symbols * jobs) / 900],
    ['of a portfolio and a status', { portfolio_id: portfolio, status: ['failed'] }, (symbols * jobs) / 900],
  ])('%s reads no more than it needs', async (_what, query, most) => {
    expect(await read(query)).toBeLessThanOrEqual(most);
  });

  test('uses timestamps that the database accepts, down to its first year', () => {
    const { created_from, created_to, limit } = jobsQuerySchema.parse({
      created_from: '0001-01-01T00:00:00Z',
      created_to: '2026-03-02T15:30:00.5+01:00',
    });
    const { parameters } = jobsSql({ created_from, created_to, limit });
    expect(parameters).toEqual([
      51,
      '00000000-0000-0000-0000-000000000000',
      '019caf2b-aab4-0000-0000-000000000000', // an hour later
      '0001-01-01T00:00:00.000Z',
      '2026-03-02T14:30:00.500Z',
    ]);
  });
});
