import type { Database } from '../../src/database/database.orm.ts';

interface Size {
  symbols: number;
  jobsPerSymbol: number;
  transitionsPerJob: number;
  portfolios: number;
}

const lotsPerPortfolio = 5;

/**
 * Fills a migrated database with ready symbols S1, S2, … and their past of jobs, one job per symbol and day, and with
 * portfolios of five lots. FAILED has failed, PENDING waits (no queue entry: nobody will claim it).
 *
 * Of 50 jobs one failed, one was cancelled, one is partial; few enough ended within the last hour to be real.
 */
export async function seed(
  database: Database,
  { symbols, jobsPerSymbol, transitionsPerJob, portfolios }: Size,
): Promise<void> {
  await database.sql(
    `insert into symbol_universe (symbol, is_active, ready_at, name, type, currency, exchange, time_zone, session_end,
       provider, first_price_date, last_price_date, last_price, price_version, quality, calculation_date)
     select 'S' || n, true, now(), 'Company ' || n, 'EQUITY', 'USD', 'SIM', 'America/New_York', '16:00', 'simulated',
       current_date - 365, current_date - 1, 100 + n % 50, 1, 'full_history', current_date - 1
     from generate_series(1, $1::int) n`,
    [symbols],
  );
  await database.sql(jobsSql, [symbols, jobsPerSymbol]);
  await database.sql(lastJobsSql);
  await database.sql(transitionsSql, [transitionsPerJob]);
  await database.sql('update feed_head set position = (select max(position) from onboarding_transitions)');
  await database.sql(
    `insert into portfolios (id, owner, name, base_currency)
     select ${idSql("now() - (($1::int - n) || ' seconds')::interval", 'n')}, 'local', 'Portfolio ' || n, 'USD'
     from generate_series(1, $1::int) n`,
    [portfolios],
  );
  await database.sql(
    `insert into positions (id, portfolio_id, line, symbol, needs_symbol, investment_class, quantity, multiplier,
       entry_price, entry_date, last_close, price_date, priced_version)
     select gen_random_uuid(), f.id, line, s, s, 'PUBLIC', 10, 1, 90, current_date - 30, 110, current_date - 1, 1
     from (select id, row_number() over (order by id) as n from portfolios) f, generate_series(1, $2::int) line,
       lateral (select 'S' || (1 + (f.n * 7 + line * 13) % $1::int) as s) named`,
    [symbols, lotsPerPortfolio],
  );
  await database.sql(snapshotsSql, [lotsPerPortfolio]);
  await database.sql('analyze');
}

/** A UUIDv7 of a moment; `n` keeps those of one millisecond apart. */
const idSql = (moment: string, n: string) =>
  `(lpad(to_hex((extract(epoch from ${moment}) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(${n} % 4096), 3, '0')
    || '8' || substr(md5((${n})::text), 1, 15))::uuid`;

// Day by day, all symbols of a day one after the other: the newest job is the last of the last symbol.
const jobsSql = `
  insert into onboarding_jobs (id, symbol, reason, requested_by, status, state, outcome, phase, sequence, claim_epoch,
    error_code, error_message, error_phase, machine_version, actor_snapshot, results, created_at, started_at, finished_at)
  select ${idSql('made', 'n')}, 'S' || (1 + n % $1::int), case when n < $1::int then 'upload' else 'refresh' end, 'local',
    status, status, outcome, 'cache', 8, 1, case when status = 'failed' then 'no_price_data' end,
    case when status = 'failed' then 'There are no prices.' end, case when status = 'failed' then 'fetch' end, 1,
    jsonb_build_object('value', status, 'context', repeat('x', 300)), '{"bars": 251}', made, made,
    made + interval '2 seconds'
  from generate_series(0, $1::int * $2::int - 1) n,
    lateral (select now() - interval '30 days' * (1 - n / ($1::float * $2)) as made,
      case n % 50 when 7 then 'failed' when 8 then 'cancelled' else 'completed' end as status) job,
    lateral (select case when status = 'completed' then case n % 50 when 9 then 'partial' else 'complete' end end
      as outcome) ended`;

const lastJobsSql = `
  insert into onboarding_jobs (id, symbol, reason, requested_by, status, state, phase, sequence, error_code,
    error_message, error_phase, machine_version, finished_at)
  select ${idSql('now()', 'n')}, symbol, 'upload', 'local', status, status, 'fetch', 8,
    case when status = 'failed' then 'no_price_data' end, case when status = 'failed' then 'There are no prices.' end,
    case when status = 'failed' then 'fetch' end, 1, case when status = 'failed' then now() end
  from (values (1, 'FAILED', 'failed'), (2, 'PENDING', 'pending')) as last(n, symbol, status)`;

const states = ['pending', 'pending', 'fetch', 'factors', 'universe', 'snapshot', 'cache', 'completed'].map(
  (name) => (name === 'pending' || name === 'completed' ? name : `processing.${name}.running`),
);

const transitionsSql = `
  insert into onboarding_transitions (job_id, sequence, position, symbol, from_state, to_state, event, attempt,
    duration_ms, node, claim_epoch, actor_snapshot, at)
  select id, sequence, row_number() over (order by id, sequence), symbol, states[sequence - 1], states[sequence],
    'phase.done', 1, 100 + sequence, 'node', 1, '{"value": "processing"}', created_at + sequence * interval '0.2 s'
  from (select id, symbol, created_at from onboarding_jobs) jobs, generate_series(1, $1::int) sequence,
    (select array[${states.map((state) => `'${state}'`).join(', ')}] as states) named`;

const snapshotsSql = `
  insert into portfolio_snapshots (portfolio_id, snapshot_date, total_value, total_cost, total_pnl, pnl_percent,
    long_value, short_value, gross_exposure, net_exposure, realized_pnl, position_count, unpriced_count, pending_count,
    missing_fx_count, coverage, is_complete, oldest_price_date, computed_at, revision)
  select id, current_date - day, 5500, 4500, 1000, 22.2222, 5500, 0, 5500, 5500, 0, $1::int, 0, 0, 0, 1, true,
    current_date - day, now(), 1
  from portfolios, generate_series(1, 3) day`;
