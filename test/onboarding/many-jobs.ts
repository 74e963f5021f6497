import type { Database } from '../../src/database/database.orm.ts';

/**
 * Fills the tables with jobs, one a minute up to `end`, ids and times as the service makes them, and `transitions`
 * journal rows of each. Four symbols are busy all the time; of 100 jobs 1 fails and 3 are partial.
 */
export async function seedJobs(
  database: Database,
  {
    jobs,
    transitions = 0,
    end = '2026-03-02T14:30:00Z',
  }: { jobs: number; transitions?: number; end?: string },
): Promise<void> {
  await database.sql(
    `insert into onboarding_jobs (id, symbol, reason, status, state, outcome, phase, error_code, error_message,
       machine_version, created_at, started_at, finished_at, updated_at)
     select (substr(ms, 1, 8) || '-' || substr(ms, 9) || '-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
       case when i > $1::int - 4 then 'BUSY' || i else 'S' || i % 2000 end,
       case i % 50 when 0 then 'manual' when 1 then 'refresh' else 'upload' end,
       status, status, case when status = 'completed' then case when i % 33 = 0 then 'partial' else 'complete' end end,
       'cache', case when status = 'failed' then case i % 300 when 7 then 'no_price_data' else 'provider_timeout' end end,
       case when status = 'failed' then 'It failed.' end, 1, at, at, case when i <= $1::int - 4 then at + interval '9 s' end, at
     from (
       select i, at, lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') as ms,
         case when i > $1::int - 4 then 'processing' when i % 100 = 7 then 'failed'
           when i % 1000 = 9 then 'cancelled' else 'completed' end as status
       from (select i, $2::timestamptz - ($1::int - i) * interval '1 minute' as at
         from generate_series(1, $1::int) i) times) jobs`,
    [jobs, end],
  );
  await database.sql(
    `insert into onboarding_transitions (job_id, sequence, position, symbol, from_state, to_state, event, attempt,
       claim_epoch, at)
     select id, n, row_number() over (order by id, n), symbol, case when n > 1 then 'pending' end,
       case when n = $1::int then status else 'pending' end, 'seeded', 1, 1, created_at
     from onboarding_jobs cross join generate_series(1, $1::int) n`,
    [transitions],
  );
  await database.sql('update feed_head set position = (select count(*) from onboarding_transitions)');
  await database.sql('analyze onboarding_jobs');
}
