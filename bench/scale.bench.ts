import type { Database } from '../src/database/database.orm.ts';
import { openDatabase } from '../src/open-database.ts';
import type { Benchmark } from './support/benchmark.ts';
import { startServer } from './support/postgres.ts';
import { startProcess } from './support/processes.ts';
import { ratioOf, spreadOf } from './support/rounds.ts';
import { seed } from './support/seed.ts';
import { shown, table } from './support/table.ts';

const rounds = 5;
const requestsPerRound = 100;
const atMost = 2;

// What one page of an answer shows, and one row more, so that both sides answer with as much.
const small = { symbols: 60, jobsPerSymbol: 12, transitionsPerJob: 8, portfolios: 60 };
const large = { symbols: 5000, jobsPerSymbol: 26, transitionsPerJob: 8, portfolios: 100_000 };

/** Paths to ask of a database, `deep` in pages where there is one. */
async function pathsOn(database: Database): Promise<Record<string, string>> {
  const one = async (sql: string) => (await database.sql<{ found: string }>(sql))[0]!.found;
  // 60 jobs from the end: a page deep in for the large one, the last full page for the small one.
  const deepJob = await one('select id as found from onboarding_jobs order by id offset 60 limit 1');
  const deepPortfolio = await one('select id as found from portfolios order by id offset 55 limit 1');
  const portfolio = await one('select id as found from portfolios order by id desc offset 5 limit 1');
  const created = await one(
    `select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as found
     from onboarding_jobs order by id desc offset 59 limit 1`,
  );
  const jobs = '/onboarding/jobs?limit=50';
  return {
    jobs: jobs,
    'jobs, deep in': `${jobs}&cursor=${deepJob}`,
    'jobs, status=failed': `${jobs}&status=failed`,
    'jobs, status=failed,cancelled': `${jobs}&status=failed,cancelled`,
    'jobs, of a symbol': '/onboarding/jobs?limit=10&symbol=S7',
    'jobs, outcome=partial': `${jobs}&outcome=partial`,
    'jobs, error_code': `${jobs}&error_code=no_price_data`,
    'jobs, of a portfolio': `/onboarding/jobs?limit=10&portfolio_id=${portfolio}`,
    'jobs, created since': `${jobs}&created_from=${created}`,
    'status, unknown symbol': '/symbols/NOBODY/status',
    'status, pending symbol': '/symbols/PENDING/status',
    'status, failed symbol': '/symbols/FAILED/status',
    'status, ready symbol': '/symbols/S7/status',
    portfolios: '/portfolios?limit=50',
    'portfolios, deep in': `/portfolios?limit=50&cursor=${deepPortfolio}`,
    'one portfolio': `/portfolios/${portfolio}`,
    overview: '/onboarding',
  };
}

async function timeOf(url: string): Promise<number> {
  const begun = performance.now();
  const response = await fetch(url);
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`expected 200 of ${url}, got: ${response.status}`);
  return performance.now() - begun;
}

/** The 99th percentile and the median of each side per round; the two are asked in turns. */
async function compare(one: string, other: string) {
  const p99 = { large: [] as number[], small: [] as number[] };
  const p50 = { large: [] as number[], small: [] as number[] };
  for (let round = 0; round <= rounds; round += 1) {
    const taken = { large: [] as number[], small: [] as number[] };
    for (let request = 0; request < requestsPerRound; request += 1) {
      const order = request % 2 === 0 ? (['large', 'small'] as const) : (['small', 'large'] as const);
      for (const side of order) taken[side].push(await timeOf(side === 'large' ? one : other));
    }
    if (round === 0) continue;
    for (const side of ['large', 'small'] as const) {
      p99[side].push(percentile(taken[side], 0.99));
      p50[side].push(percentile(taken[side], 0.5));
    }
  }
  return { p99, p50 };
}

const percentile = (values: number[], share: number) =>
  values.sort((a, b) => a - b)[Math.ceil(values.length * share) - 1]!;

const benchmark: Benchmark = {
  title: 'A million journal rows, a hundred thousand portfolios',
  async run() {
    const server = await startServer();
    const settings = { LOG_LEVEL: 'warn' };
    const started = async (size: typeof large) => {
      const url = await server.createDatabase();
      // Started once for the tables of the queue: a service that runs would take what is seeded for news.
      await (await startProcess({ ...settings, DATABASE_URL: url })).stop();
      const database = await openDatabase({ databaseUrl: url, dataDir: null, fsync: false });
      await seed(database, size);
      const paths = await pathsOn(database);
      return { service: await startProcess({ ...settings, DATABASE_URL: url }), database, paths };
    };
    const [big, little] = [await started(large), await started(small)];
    try {
      const compared = [];
      for (const name of Object.keys(big.paths)) {
        const [one, other] = [big.service.url + big.paths[name]!, little.service.url + little.paths[name]!];
        const { p99, p50 } = await compare(one, other);
        const ratio = ratioOf(p99.large, p99.small);
        compared.push({ name, p99, p50, ratio });
        console.log(`${name}: ${shown(ratio, 2)}`);
      }
      const rows = compared.map(({ name, p99, p50, ratio }) => [
        name,
        shown(spreadOf(p99.large), 1),
        shown(spreadOf(p99.small), 1),
        shown(ratio, 2),
        shown(ratioOf(p50.large, p50.small), 2),
      ]);
      const promises = compared.map(({ name, ratio }) => ({
        what: `p99 of ${name}, of that of an empty database`,
        value: ratio.median,
        limit: { atMost },
      }));
      return {
        markdown: `${told}\n\n${table(['request', 'large, p99 ms', 'empty, p99 ms', 'ratio', 'ratio of medians'], rows)}`,
        promises,
      };
    } finally {
      for (const { service, database } of [big, little]) {
        await service.stop();
        await database.close();
      }
      await server.stop();
    }
  },
};
export default benchmark;

const told = `\
Two services on two databases of one PostgreSQL, asked in turns over HTTP, ${requestsPerRound} requests of each kind to each per round:
one holds ${large.portfolios.toLocaleString('en-US')} portfolios of 5 lots with their snapshots, ${(large.symbols * large.jobsPerSymbol).toLocaleString('en-US')} jobs and ${(large.symbols * large.jobsPerSymbol * large.transitionsPerJob).toLocaleString('en-US')} journal rows of ${large.symbols.toLocaleString('en-US')} symbols,
the other no more than a page or two of each, so that both answers are of one size. Each cell is the 99th percentile of
a round; the ratio of medians says more where the machine has other work. A ready symbol comes from memory, all else
from the database.`;
