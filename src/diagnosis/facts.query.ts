import type { Database } from '../database/database.orm.ts';
import type { QueueSeen, ReconcilerSeen } from './judgements.ts';

export interface DiagnosisQueries {
  /** The version of PostgreSQL, and the applied migrations. */
  schema(): Promise<{ version: string; applied: string[] }>;
  ping(): Promise<void>;
  /** The database's clock, epoch milliseconds. */
  now(): Promise<number>;
  lockWaits(): Promise<{ waiting: number; longestMs: number }>;
  /** The latest version of the proxy set, and the number of closes per proxy in the set of `session`. */
  proxies(session: string): Promise<{ latest: string | null; bars: Record<string, number> | null }>;
  queue(): Promise<QueueSeen>;
  /** Active symbols whose open lots lack the latest price, and that have no unfinished job to price them. */
  unpricedLots(): Promise<{ symbol: string; lots: number }[]>;
  reconciler(): Promise<ReconcilerSeen>;
}

/** Reads the facts for a diagnosis. Changes nothing and takes no lock that blocks another session. */
export function diagnosisQueries(database: Database): DiagnosisQueries {
  const exists = async (table: string): Promise<boolean> => {
    const [row] = await database.sql<{ found: boolean }>('select to_regclass($1) is not null as found', [
      table,
    ]);
    return row!.found;
  };
  return {
    async schema() {
      const [row] = await database.sql<{ version: string }>(
        `select current_setting('server_version') as version`,
      );
      const applied = (await exists('mikro_orm_migrations'))
        ? await database.sql<{ name: string }>('select name from mikro_orm_migrations order by id')
        : [];
      return { version: row!.version.split(' ')[0]!, applied: applied.map(({ name }) => name) };
    },
    async ping() {
      await database.sql('select 1');
    },
    async now() {
      const [row] = await database.sql<{ ms: string | number }>(
        'select extract(epoch from clock_timestamp()) * 1000 as ms',
      );
      return Number(row!.ms);
    },
    async lockWaits() {
      const [row] = await database.sql<{ waiting: number; ms: string | number }>(lockWaitsSql);
      return { waiting: row!.waiting, longestMs: Number(row!.ms) };
    },
    async proxies(session) {
      const [latest] = await database.sql<{ version: string | null }>(
        'select max(version)::text as version from proxy_sets',
      );
      const [set] = await database.sql<{ closes: Record<string, { dates: string[] }> }>(
        'select closes from proxy_sets where version = $1::date',
        [session],
      );
      const counted = set && Object.entries(set.closes).map(([symbol, { dates }]) => [symbol, dates.length]);
      return { latest: latest!.version, bars: counted ? Object.fromEntries(counted) : null };
    },
    async queue() {
      // pg-boss creates its tables when the service first starts.
      const [row] = await database.sql<QueueSeen>(
        (await exists('pgboss.job')) ? queueSql(liveSql) : queueSql(noneSql),
      );
      return row!;
    },
    unpricedLots: () => database.sql(unpricedSql),
    async reconciler() {
      const [row] = await database.sql<{ value: ReconcilerRow }>(
        `select value from service_state where key = 'reconciler'`,
      );
      const { looked_at, found_at, found = {} } = row?.value ?? {};
      const iso = (moment?: string) => (moment === undefined ? null : new Date(moment).toISOString());
      return { lookedAt: iso(looked_at), foundAt: iso(found_at), found };
    },
  };
}

interface ReconcilerRow {
  looked_at?: string;
  found_at?: string;
  found?: Record<string, number>;
}

const lockWaitsSql = `
  select count(*)::int as waiting,
    coalesce(max(extract(epoch from clock_timestamp() - query_start)), 0) * 1000 as ms
  from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;

const liveSql = `
  select id, data ->> 'jobId' as job_id, state::text as state,
    heartbeat_on < now() - 3 * heartbeat_seconds * interval '1 second' as silent
  from pgboss.job where name = 'symbol-onboarding' and state in ('created', 'retry', 'active')`;
const noneSql =
  'select null::uuid as id, null::text as job_id, null::text as state, false as silent where false';

// One statement, so that everything is from one snapshot: entries and jobs are settled in one transaction.
const queueSql = (entries: string): string => `
  with live as (${entries}),
  unfinished as (select id::text as id, symbol, node from onboarding_jobs where status in ('pending', 'processing'))
  select (select count(*)::int from unfinished) as unfinished, (select count(*)::int from live) as entries,
    (select coalesce(json_agg(symbol order by symbol), '[]') from unfinished u
      where not exists (select from live l where l.job_id = u.id)) as lost,
    (select count(*)::int from live l where not exists (select from unfinished u where u.id = l.job_id)) as idle,
    (select coalesce(json_agg(distinct coalesce(u.node, 'unnamed')), '[]') from live l join unfinished u
      on u.id = l.job_id where l.state = 'active' and l.silent) as silent,
    exists (select from service_state where key = 'paused' and value = 'true'::jsonb) as paused`;

const unpricedSql = `
  select u.symbol, count(*)::int as lots from positions p join symbol_universe u on u.symbol = p.needs_symbol
  where p.exit_date is null and p.investment_class = 'PUBLIC' and u.is_active
    and (p.last_close is null or p.priced_version is distinct from u.price_version)
    and not exists (select from onboarding_jobs j
      where j.symbol = u.symbol and j.status in ('pending', 'processing'))
  group by u.symbol order by u.symbol`;
