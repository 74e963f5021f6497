import type { Database } from '../../src/database/database.orm.ts';

// In the order in which foreign keys allow them to be written. Proxies and their prices stay: they were warm before.
const tables: Record<string, string> = {
  symbol_universe: '',
  portfolios: '',
  positions: '',
  'pgboss.job': '',
  onboarding_jobs: '',
  onboarding_transitions: '',
  prices: 'where symbol in (select symbol from symbol_universe)',
  symbol_factor_exposures: '',
  portfolio_snapshots: '',
};

/** Rows of each table as JSON, in the order in which they are to be written. */
export type Rows = { table: string; json: string }[];

/** Every row that jobs left behind. */
export async function readRows(database: Database): Promise<Rows> {
  const rows: Rows = [];
  for (const [table, which] of Object.entries(tables)) {
    const [row] = await database.sql<{ json: string }>(
      `select coalesce(json_agg(to_json(written)), '[]')::text as json from ${table} as written ${which}`,
    );
    rows.push({ table, json: row!.json });
  }
  return rows;
}

/** What the upload wrote, and what each job did. */
export function splitByJob(rows: Rows): { upload: Rows; jobs: Rows[] } {
  const ofUpload = new Set(['portfolios', 'positions', 'portfolio_snapshots']);
  const bySymbol = new Map<string, Rows>();
  for (const { table, json } of rows) {
    if (ofUpload.has(table)) continue;
    const listed = JSON.parse(json) as { symbol?: string; singleton_key?: string }[];
    const groups = Object.groupBy(listed, ({ symbol, singleton_key }) => symbol ?? singleton_key!);
    for (const [symbol, group] of Object.entries(groups)) {
      const job = bySymbol.get(symbol) ?? [];
      bySymbol.set(symbol, job);
      job.push({ table, json: JSON.stringify(group) });
    }
  }
  return { upload: rows.filter(({ table }) => ofUpload.has(table)), jobs: [...bySymbol.values()] };
}

/** Writes them: one statement per table and one for the feed's head, in one transaction. */
export async function plainSql(database: Database, rows: Rows): Promise<void> {
  await database.transaction(async (on) => {
    for (const { table, json } of rows) {
      const text = `insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1::jsonb)`;
      await database.sql(text, [json], { on });
    }
    await database.sql('update feed_head set position = position + 1 where id = 1', [], { on });
  });
}

/** The same with a transaction per job, so many at once. */
export async function plainSqlPerJob(
  database: Database,
  { upload, jobs }: { upload: Rows; jobs: Rows[] },
  concurrency: number,
): Promise<void> {
  await plainSql(database, upload);
  const left = jobs.values();
  const worker = async () => {
    for (const job of left) await plainSql(database, job);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

/** Puts the database back to what it was before the jobs. */
export async function deleteRows(database: Database): Promise<void> {
  await deleteOnly(database);
  for (const table of Object.keys(tables)) await database.sql(`vacuum analyze ${table}`);
}

/** As `deleteRows`, but the plans of prepared statements stay. */
export async function deleteOnly(database: Database): Promise<void> {
  // The universe last: it tells which prices go.
  for (const table of Object.keys(tables).reverse())
    await database.sql(`delete from ${table} ${tables[table]}`);
}
