import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startNode } from '../onboarding/fixture.ts';
import { describeOnDatabase } from '../support/databases.ts';

const perJob = 'one more for each transition or claim of one job: one a second for 68 years';
const bounded = 'a setting or a constant of ours bounds it';
const perChange = 'one more for each change of one row: one a second for 68 years';
const inFile = 'at most as many as an upload has rows';
const seconds = 'seconds: 68 years';

/** Every column of four bytes or fewer, and why neither time nor use fills it. Any other is a bigint. */
const allowed: Record<string, string> = {
  'public.cluster_permits.claim_epoch': perJob,
  'public.cluster_permits.id': bounded,
  'public.feed_head.id': 'always 1',
  'public.mikro_orm_migrations.id': 'one for each migration',
  'public.onboarding_jobs.attempt': bounded,
  'public.onboarding_jobs.claim_epoch': perJob,
  'public.onboarding_jobs.machine_version': 'one more for each change of the machine',
  'public.onboarding_jobs.resumes': bounded,
  'public.onboarding_jobs.sequence': perJob,
  'public.onboarding_transitions.attempt': bounded,
  'public.onboarding_transitions.claim_epoch': perJob,
  'public.onboarding_transitions.sequence': perJob,
  'public.portfolio_rates.rated_version': perChange,
  'public.portfolio_snapshots.missing_fx_count': inFile,
  'public.portfolio_snapshots.pending_count': inFile,
  'public.portfolio_snapshots.position_count': inFile,
  'public.portfolio_snapshots.revision': perChange,
  'public.portfolio_snapshots.unpriced_count': inFile,
  'public.positions.line': inFile,
  'public.positions.multiplier': 'constants by investment class',
  'public.positions.priced_version': perChange,
  'public.symbol_factor_exposures.observations': bounded,
  'public.symbol_factor_exposures.window_days': bounded,
  'public.symbol_universe.price_version': perChange,
  'pgboss.job_common.deletion_seconds': seconds,
  'pgboss.job_common.expire_seconds': seconds,
  'pgboss.job_common.heartbeat_seconds': seconds,
  'pgboss.job_common.pending_dependencies': 'we have none',
  'pgboss.job_common.priority': bounded,
  'pgboss.job_common.retry_count': 'beyond retry_limit the reconciler makes another entry',
  'pgboss.job_common.retry_delay': seconds,
  'pgboss.job_common.retry_delay_max': seconds,
  'pgboss.job_common.retry_limit': bounded,
  'pgboss.job_common.source_retry_count': 'we have no dead letters',
};

describeOnDatabase('postgres', 'integers', (makeDatabase) => {
  test('are columns only where neither time nor use can fill them', async () => {
    const database = await makeDatabase();
    await startNode(database); // pg-boss makes its own tables
    const columns = await database.sql<{ name: string }>(
      `select format('%s.%s.%s', table_schema, table_name, column_name) as name from information_schema.columns
       where data_type in ('integer', 'smallint')
         and (table_schema = 'public' or (table_schema, table_name) = ('pgboss', 'job_common'))`,
    );
    expect(columns.map(({ name }) => name).sort()).toEqual(Object.keys(allowed).sort());
  });
});

test('no statement makes an integer of a time: there are milliseconds for 24.8 days in one', () => {
  const root = join(import.meta.dirname, '../..');
  const narrow = /(extract\s*\(\s*epoch[^;`]*?::\s*|_ms\s+)(int|int4|integer|smallint)\b/i;
  const found = globSync('src/**/*.ts', { cwd: root })
    .filter((path) => !path.startsWith('src/migrations/'))
    .flatMap((path) => {
      const lines = readFileSync(join(root, path), 'utf8').split('\n');
      return lines.flatMap((line, index) => (narrow.test(line) ? [`${path}:${index + 1}`] : []));
    });
  expect(found).toEqual([]);
});
