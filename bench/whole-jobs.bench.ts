import type { Database } from '../src/database/database.orm.ts';
import { openDatabase } from '../src/open-database.ts';
import type { Benchmark } from './support/benchmark.ts';
import { type OnboardingService, preparedProvider, startOnboardingService } from './support/onboarding.ts';
import { startServer } from './support/postgres.ts';
import { temporaryDirectory } from './support/processes.ts';
import { interleaved, ratioOf, spreadOf } from './support/rounds.ts';
import { deleteOnly, deleteRows, plainSql, plainSqlPerJob, readRows, splitByJob } from './support/rows.ts';
import { shown, table } from './support/table.ts';

const symbolCount = 40;
const symbols = Array.from({ length: symbolCount }, (_, n) => `JOB${n}`);
const atMost = 2.5;

interface Measured {
  row: string[];
  ratio: number;
  what: string;
}

/** Whole jobs of one service on one database, next to plain SQL that leaves the same rows there. */
async function measure(
  kind: string,
  database: Database,
  settings: Record<string, string>,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const concurrency of [3, 16]) {
    const own = { ...settings, ONBOARDING_CONCURRENCY: String(concurrency) };
    const service = await startOnboardingService(database, own, preparedProvider());
    try {
      const { jobs, floor, perJob } = await compare(database, service, concurrency);
      const ratio = ratioOf(jobs, floor);
      const what = `whole jobs on ${kind} at concurrency ${concurrency}`;
      const row = [
        what,
        shown(spreadOf(jobs)),
        shown(spreadOf(floor)),
        shown(ratio, 2),
        shown(spreadOf(perJob)),
        shown(ratioOf(jobs, perJob), 2),
      ];
      measured.push({ row, ratio: ratio.median, what });
    } finally {
      await service.close();
    }
  }
  return measured;
}

/** The rows that one round of the service left are read, deleted, and written again by plain SQL. */
async function compare(database: Database, service: OnboardingService, concurrency: number) {
  // Not counted: it fetches the proxies, and its rows are the ones that plain SQL writes in every round.
  await service.onboard(symbols);
  const rows = await readRows(database);
  const split = splitByJob(rows);
  const timed = async (work: () => Promise<void>) => {
    const begun = performance.now();
    await work();
    const tookMs = performance.now() - begun;
    await deleteRows(database);
    return tookMs;
  };
  await deleteRows(database);
  return interleaved(
    {
      async jobs() {
        // Vacuuming threw the plans away that a service in use has: 25 ms of the first wave, on whichever connection.
        await service.onboard(symbols.slice(0, concurrency));
        await deleteOnly(database);
        const tookMs = await service.onboard(symbols);
        await deleteRows(database);
        return tookMs;
      },
      floor: () => timed(() => plainSql(database, rows)),
      perJob: () => timed(() => plainSqlPerJob(database, split, concurrency)),
    },
    { rounds: 9 }, // each takes half a second
  );
}

async function onPostgres(): Promise<Measured[]> {
  const server = await startServer();
  const url = await server.createDatabase();
  const database = await openDatabase({ databaseUrl: url, dataDir: null, fsync: false });
  try {
    return await measure('PostgreSQL', database, { DATABASE_URL: url });
  } finally {
    await database.close();
    await server.stop();
  }
}

async function onPglite(): Promise<Measured[]> {
  const data = temporaryDirectory();
  const database = await openDatabase({ databaseUrl: null, dataDir: data.path, fsync: true });
  try {
    return await measure('PGlite', database, { DATA_DIR: data.path });
  } finally {
    await database.close();
    data.remove();
  }
}

const benchmark: Benchmark = {
  title: 'Whole jobs, a provider that answers at once',
  async run() {
    const measured = [...(await onPostgres()), ...(await onPglite())];
    const head = ['what', 'service, ms', 'plain SQL, ms', 'ratio', 'a transaction per job, ms', 'ratio'];
    return {
      markdown: `${told}\n\n${table(
        head,
        measured.map(({ row }) => row),
      )}`,
      promises: measured.map(({ what, ratio }) => ({
        what: `${what}, of plain SQL`,
        value: ratio,
        limit: { atMost },
      })),
    };
  },
};
export default benchmark;

const told = `\
A portfolio of ${symbolCount} new symbols uploaded over HTTP, until the last is completed; prices come from memory, and
\`ONBOARDING_PREFETCH\` is 50 on both databases, what an embedded service has by default. Next to plain
SQL on the same database that computes nothing and leaves the same rows: universe, about 260 bars and 12 exposures per
symbol, portfolio, lots, snapshot, jobs, journal, queue entries. One transaction, one \`insert … select from
jsonb_populate_recordset\` per table for all symbols together, on one connection, with the JSON prepared before the clock
starts. Beside it the same with a transaction per job, as many at once as the service runs. Every commit is flushed on
all sides and on both databases. Between rounds all rows are deleted and the tables vacuumed; the service then runs one
wave that is not counted, because that threw its plans away. Plain SQL is as fast without one.`;
