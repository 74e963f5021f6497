import type { Database } from '../../src/database/database.orm.ts';

const rows = 100_000;
const unfinished = 2000; // of the jobs, the newest; all of them wait
const finished = rows - unfinished;
const waitingLots = 200;

/** Some of what the tables hold. */
export const large = {
  rows,
  /** One lot and one snapshot, like nearly all of them. */
  portfolio: id(1),
  /** All of its lots are of symbols that wait. */
  waitingPortfolio: id(rows + 1),
  /** A thousand portfolios hold it, and its older splits are wanted. */
  popular: 'S1',
  waiting: `S${rows - 1}`,
  waitingJob: id(rows - 1),
  failedJob: id(97_107),
};

function id(n: number): string {
  return `01900000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

const idSql = (n: string) => `('01900000-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;

/**
 * Fills a migrated database, whose queue has started, with 100,000 rows of everything that grows: nothing in it is
 * wrong, so that the reconciler finds nothing. `session` is the last completed one of New York.
 */
export async function fillLarge(database: Database, session: string): Promise<void> {
  await database.transaction(async (on) => {
    // Nothing in here breaks a foreign key: to check each row would take as long as to write it.
    await database.sql('set local session_replication_role = replica', [], { on });
    for (const text of statements(session)) await database.sql(text, [], { on });
  });
}

const statements = (session: string) => [
  `insert into symbol_universe (symbol, is_active, ready_at, name, type, currency, exchange, time_zone, session_end,
     provider, first_price_date, last_price_date, last_price, price_version, history_from, wanted_from, refreshed_for,
     quality, calculation_date)
   select 'S' || i, i <= ${finished}, case when i <= ${finished} then now() end, 'Company ' || i, 'EQUITY', 'USD', 'NYQ',
     'America/New_York', '16:00', 'simulated', '2025-01-02', date '${session}', 100, 1, '2000-01-01',
     case i when 1 then date '1999-01-04' end, date '${session}', 'full_history', date '${session}'
   from generate_series(1, ${rows}) i`,
  `insert into onboarding_jobs (id, symbol, reason, requested_by, status, state, outcome, phase, queue_entry, error_code,
     error_message, sequence, machine_version, created_at, started_at, finished_at, updated_at)
   select ${idSql('i')}, 'S' || i, case when i % 2 = 0 or i > ${finished} then 'refresh' else 'upload' end, 'somebody',
     status, status, case status when 'completed' then case when i % 33 = 0 then 'partial' else 'complete' end end,
     case status when 'pending' then 'fetch' else 'cache' end, case status when 'pending' then ${idSql(`i + ${2 * rows}`)} end,
     case status when 'failed' then 'no_price_data' end, case status when 'failed' then 'There are none.' end, 2, 1, at,
     at, case when status <> 'pending' then at end, at
   from (select i, now() - (${rows} - i) * interval '1 minute' - interval '2 hours' as at,
       case when i > ${finished} then 'pending' when i % 1000 = 107 then 'failed' else 'completed' end as status
     from generate_series(1, ${rows}) i) jobs`,
  `insert into onboarding_transitions (job_id, sequence, position, symbol, from_state, to_state, event, attempt,
     duration_ms, claim_epoch, at)
   select id, n, row_number() over (order by id, n), symbol, case n when 2 then 'pending' end,
     case n when 2 then state else 'pending' end, 'filled', 1, 100, 1, updated_at
   from onboarding_jobs cross join generate_series(1, 2) n`,
  'update feed_head set position = (select max(position) from onboarding_transitions)',
  `insert into portfolios (id, owner, name, base_currency)
   select ${idSql('i')}, 'local', 'Portfolio ' || i, 'USD' from generate_series(1, ${rows + 1}) i`,
  `insert into positions (id, portfolio_id, line, symbol, needs_symbol, investment_class, quantity, multiplier, currency,
     entry_price, entry_date, last_close, price_date, priced_version)
   select ${idSql('i')}, ${idSql('i')}, 1, symbol, symbol, 'PUBLIC', 10, 1, 'USD', 90, '2025-01-02', 100,
     date '${session}', 1
   from (select i, 'S' || case when i % 100 = 0 then 1 else i % ${finished} + 1 end as symbol
     from generate_series(1, ${rows}) i) lots`,
  `insert into positions (id, portfolio_id, line, symbol, needs_symbol, investment_class, quantity, multiplier, currency,
     entry_price, entry_date)
   select ${idSql(`${rows} + i`)}, ${idSql(String(rows + 1))}, i, 'S' || ${rows} - i, 'S' || ${rows} - i, 'PUBLIC', 10, 1,
     'USD', 90, '2025-01-02'
   from generate_series(1, ${waitingLots}) i`,
  `insert into portfolio_rates (portfolio_id, symbol, since, rated_version)
   select ${idSql('i')}, 'S' || i % 20 + 1, '2025-01-02', 1 from generate_series(1, ${rows}) i`,
  `insert into portfolio_snapshots (portfolio_id, snapshot_date, total_value, total_cost, total_pnl, long_value,
     short_value, gross_exposure, net_exposure, position_count, unpriced_count, pending_count, missing_fx_count,
     is_complete, oldest_price_date, computed_at, revision, feed_position)
   select ${idSql('i')}, date '${session}', 1000, 900, 100, 1000, 0, 1000, 1000, 1, 0, 0, 0, true, date '${session}',
     now(), 1, null
   from generate_series(1, ${rows}) i`,
  `insert into prices (symbol, date, open, high, low, close, adjusted_close, volume)
   select 'S' || s, date '${session}' - d, 100, 100, 100, 100, 100, 1000
   from generate_series(1, 400) s cross join generate_series(0, 249) d`,
  `insert into corporate_actions (symbol, date, kind, numerator, denominator)
   select 'S' || s, date '2020-01-01' + n, 'split', 2, 1
   from generate_series(1, 20000) s cross join generate_series(1, 5) n`,
  `insert into symbol_factor_exposures (symbol, calculation_date, factor, factor_group, method, beta, raw_beta, capped,
     observations, window_days, quality, proxy_version)
   select 'S' || s, date '${session}', factor, 'market', 'ols', 1, 1, false, 90, 90, 'full_history', date '${session}'
   from generate_series(1, 10000) s
     cross join unnest(array['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']) factor`,
  `insert into idempotency_keys (owner, key, fingerprint, token, locked_until, expires_at, answer)
   select 'local', 'key ' || i, 'f', gen_random_uuid(), now(), now() + interval '1 day', '{}'
   from generate_series(1, ${rows}) i`,
  `insert into tickets (hash, name, role, expires_at)
   select md5(i::text), 'local', 'operator', now() + interval '1 day' from generate_series(1, ${rows}) i`,
  // None of them is taken: what a test uploads has the node for itself.
  `insert into pgboss.job (id, name, data, priority, singleton_key, policy, retry_limit, heartbeat_seconds,
     expire_seconds, keep_until, start_after)
   select j.queue_entry, q.name, jsonb_build_object('jobId', j.id, 'symbol', j.symbol), 0, j.symbol, q.policy,
     q.retry_limit, q.heartbeat_seconds, q.expire_seconds, now() + interval '10 years',
     now() + interval '1 day'
   from onboarding_jobs j, pgboss.queue q where q.name = 'symbol-onboarding' and j.status = 'pending'`,
];
