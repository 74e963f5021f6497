import type { Database } from '../../src/database/database.orm.ts';

/** How long a database may have lain: beyond an integer's milliseconds, and beyond what libraries keep by default. */
export const ages = ['30 days', '1 year', '10 years'] as const;
export type Age = (typeof ages)[number];

/**
 * Shifts every moment in every table, the queue's too, into the past: so the database looks after that time. Days, as
 * those of prices, and ids stay as they are.
 */
export async function age(database: Database, by: Age): Promise<void> {
  const tables = await database.sql<{ name: string; moments: string[] }>(`
    select format('%I.%I', n.nspname, c.relname) as name, array_agg(format('%I', a.attname)::text) as moments
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    where n.nspname in ('public', 'pgboss') and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
      and a.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype)
    group by 1 order by 1`);
  for (const { name, moments } of tables) {
    const changes = moments.map((column) => `${column} = ${column} - interval '${by}'`);
    await database.sql(`update ${name} set ${changes.join(', ')}`);
  }
}

/** A moment of the database, epoch milliseconds. */
export async function momentAgo(database: Database, by: Age): Promise<number> {
  const [row] = await database.sql<{ ms: string }>(
    `select extract(epoch from now() - interval '${by}') * 1000 as ms`,
  );
  return Number(row!.ms);
}
