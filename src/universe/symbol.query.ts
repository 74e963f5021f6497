import type { z } from 'zod';
import { isUnfinished, type Phase, phases } from '../../machines/protocol.ts';
import type {
  exposuresSchema,
  pricesSchema,
  SymbolStatusView,
  SymbolsQuery,
  SymbolView,
} from '../contract/schemas.ts';
import type { Database } from '../database/database.orm.ts';
import { whyNotApplicable } from '../factors/compute-exposures.ts';
import { factors, type Quality, readingNotes } from '../factors/factor-catalog.ts';
import type { Clock } from '../kernel/clock.ts';
import { estimateSeconds } from './estimate-seconds.ts';
import { type SymbolFacts, statusIn } from './symbol-status.ts';

export interface SymbolQueries {
  /** One status per requested symbol, in the same order; `unknown` if a symbol has neither a row nor a job. */
  statuses(symbols: readonly string[]): Promise<SymbolStatusView[]>;
  profile(symbol: string): Promise<SymbolView | null>;
  search(query: SymbolsQuery): Promise<{ symbols: SymbolView[]; next_cursor: string | null }>;
  prices(symbol: string, range: DayRange): Promise<z.infer<typeof pricesSchema> | null>;
  exposures(
    symbol: string,
    query: { date?: string | undefined },
  ): Promise<z.infer<typeof exposuresSchema> | null>;
}

interface DayRange {
  from?: string | undefined;
  to?: string | undefined;
}

export function symbolQueries(
  database: Database,
  { concurrency, retryLimit, clock }: { concurrency: number; retryLimit: number; clock: Clock },
): SymbolQueries {
  const phaseSeconds = measuredPhases(database, clock);
  const facts = (symbols: readonly string[]) =>
    database.sql<FactsRow>(factsSql, [symbols], { prepared: true });

  return {
    async statuses(symbols) {
      const rows = await facts(symbols);
      const busy = rows.some(({ job_status }) => job_status !== null && isUnfinished(job_status));
      const measured = busy ? await phaseSeconds() : {};
      const ahead = await jobsAhead(database, rows);
      const found = new Map(rows.map((row) => [row.symbol, row]));
      return symbols.map((symbol) => {
        const row = found.get(symbol);
        const status = statusIn(symbol, row ? factsOf(row) : null, { retryLimit });
        if (!row || (status.status !== 'pending' && status.status !== 'processing')) return status;
        // No estimate: a pause has no planned end.
        if (status.status === 'pending' && row.paused) return status;
        const waitMs = row.retry_at === null ? 0 : Math.max(0, Date.parse(row.retry_at) - clock.now());
        const estimate = estimateSeconds({
          phaseSeconds: measured,
          phase: status.status === 'processing' ? row.phase : null,
          ahead: ahead.get(row.job_id) ?? 0,
          concurrency,
          waitSeconds: waitMs / 1000,
        });
        return { ...status, estimated_seconds: estimate };
      });
    },
    async profile(symbol) {
      const [row] = await facts([symbol]);
      if (!row?.listed) return null;
      return profileOf(row, statusIn(symbol, factsOf(row), { retryLimit }).status);
    },
    async search({ query = '', limit, cursor = '' }) {
      const found = await database.sql<{ symbol: string }>(searchSql, [query, cursor, limit + 1]);
      const page = found.slice(0, limit).map(({ symbol }) => symbol);
      const rows = await facts(page);
      const listed = new Map(rows.map((row) => [row.symbol, row]));
      const symbols = page.map((symbol) => {
        const row = listed.get(symbol)!; // rows of the universe are never deleted
        return profileOf(row, statusIn(symbol, factsOf(row), { retryLimit }).status);
      });
      return { symbols, next_cursor: found.length > limit ? page.at(-1)! : null };
    },
    async prices(symbol, { from, to }) {
      const [listed] = await database.sql<{ currency: string | null }>(
        'select currency from symbol_universe where symbol = $1',
        [symbol],
      );
      if (!listed) return null;
      const bars = await database.sql<z.infer<typeof pricesSchema>['bars'][number]>(
        `select date::text as date, open, high, low, close, adjusted_close, volume from prices
         where symbol = $1 and ($2::date is null or date >= $2) and ($3::date is null or date <= $3) order by date`,
        [symbol, from ?? null, to ?? null],
      );
      return { symbol, currency: listed.currency, bars };
    },
    exposures: (symbol, { date }) => exposures(database, symbol, date ?? null),
  };
}

interface FactsRow {
  symbol: string;
  listed: boolean;
  is_active: boolean | null;
  ready_at: string | null;
  name: string | null;
  type: SymbolView['type'];
  currency: string | null;
  exchange: string | null;
  time_zone: string | null;
  provider: string | null;
  first_price_date: string | null;
  last_price_date: string | null;
  last_price: string | null;
  quality: Quality | null;
  quality_reason: string | null;
  calculation_date: string | null;
  updated_at: string;
  job_id: string | null;
  job_status: SymbolFacts['jobStatus'];
  phase: Phase;
  attempt: number | null;
  retry_at: string | null;
  error_code: string | null;
  error_message: string | null;
  paused: boolean;
}

// Ids are UUIDv7, so the newest job is the greatest.
// With the subquery the generic plan is as good as a custom one, so PostgreSQL caches it.
const factsSql = `
  select s.symbol, u.symbol is not null as listed, u.is_active, u.ready_at, u.name, u.type, u.currency, u.exchange,
    u.time_zone, u.provider, u.first_price_date::text as first_price_date,
    u.last_price_date::text as last_price_date, u.last_price, u.quality, u.quality_reason,
    u.calculation_date::text as calculation_date, u.updated_at, j.id as job_id, j.status as job_status, j.phase,
    j.attempt, j.retry_at, j.error_code, j.error_message,
    exists (select from service_state where key = 'paused' and value = 'true'::jsonb) as paused
  from unnest(array(select unnest($1::text[]))) as s(symbol)
  left join symbol_universe u on u.symbol = s.symbol
  left join lateral (select * from onboarding_jobs where symbol = s.symbol order by id desc limit 1) j on true
  where u.symbol is not null or j.id is not null`;

/** For each pending job, by id: the number of unfinished jobs that were admitted before it. */
async function jobsAhead(database: Database, rows: readonly FactsRow[]): Promise<Map<string | null, number>> {
  const waiting = rows
    .filter((row) => row.job_status === 'pending' && !row.paused)
    .map((row) => row.job_id!)
    .sort();
  if (waiting.length === 0) return new Map();
  const line = await database.sql<{ id: string; ahead: number }>(lineSql, [waiting[0], waiting.at(-1)], {
    prepared: true,
  });
  return new Map(line.map(({ id, ahead }) => [id, ahead]));
}

// One window function over the queue. A count per job took seconds for 4,000 waiting symbols. A join in SQL could be as
// slow: without row estimates for either side the planner may choose a nested loop.
const lineSql = `
  select id, ahead from (
    select id, row_number() over (order by id)::int - 1 as ahead from onboarding_jobs
    where status in ('pending', 'processing') and id <= $2::uuid
  ) line where id >= $1::uuid`;

// In byte order (collation "C"), independent of the database's collation, so that pages neither overlap nor leave gaps.
const searchSql = `
  select symbol from symbol_universe
  where (strpos(symbol, upper($1)) > 0 or strpos(lower(name), lower($1)) > 0) and symbol collate "C" > $2
  order by symbol collate "C" limit $3`;

const factsOf = (row: FactsRow): SymbolFacts => ({
  readyAt: row.is_active && row.ready_at !== null ? new Date(row.ready_at).toISOString() : null,
  quality: row.quality,
  qualityReason: row.quality_reason,
  jobId: row.job_id,
  jobStatus: row.job_status,
  phase: row.phase,
  attempt: row.attempt,
  errorCode: row.error_code,
  errorMessage: row.error_message,
  paused: row.paused,
});

const profileOf = (row: FactsRow, status: SymbolView['status']): SymbolView => ({
  symbol: row.symbol,
  status,
  is_active: row.is_active ?? false,
  name: row.name,
  type: row.type,
  currency: row.currency,
  exchange: row.exchange,
  time_zone: row.time_zone,
  provider: row.provider,
  first_price_date: row.first_price_date,
  last_price_date: row.last_price_date,
  last_price: row.last_price,
  quality: row.quality,
  quality_reason: row.quality_reason,
  calculation_date: row.calculation_date,
  ready_at: factsOf(row).readyAt,
  updated_at: new Date(row.updated_at).toISOString(),
});

const rememberMs = 5000; // phase times change slowly, and clients poll often

/** Mean seconds of each phase over the latest transitions. */
function measuredPhases(database: Database, clock: Clock): () => Promise<Partial<Record<Phase, number>>> {
  let known: { at: number; seconds: Partial<Record<Phase, number>> } | null = null;
  return async () => {
    if (known && clock.now() - known.at < rememberMs) return known.seconds;
    // With `limit`, not with `position >` a computed value: for that the planner expects a third of the journal and
    // starts parallel workers (79 ms at a million rows).
    const rows = await database.sql<{ state: string; seconds: number }>(`
      select from_state as state, avg(duration_ms)::float8 / 1000 as seconds
      from (select from_state, event, duration_ms from onboarding_transitions order by position desc limit 2000) latest
      where from_state like '%.running' and event not like '%.failed' and duration_ms is not null
      group by from_state`);
    const seconds = Object.fromEntries(
      rows
        .map((row) => [row.state.split('.')[1], Number(row.seconds)])
        .filter(([name]) => phases.includes(name as Phase)),
    );
    known = { at: clock.now(), seconds };
    return seconds;
  };
}

async function exposures(
  database: Database,
  symbol: string,
  date: string | null,
): Promise<z.infer<typeof exposuresSchema> | null> {
  const [listed] = await database.sql<{ quality: Quality | null; quality_reason: string | null }>(
    'select quality, quality_reason from symbol_universe where symbol = $1',
    [symbol],
  );
  if (!listed) return null;
  const rows = await database.sql<
    Record<string, unknown> & { calculation_date: string; proxy_version: string | null }
  >(
    `select calculation_date::text as calculation_date, proxy_version::text as proxy_version, factor,
       factor_group as "group", method, beta, raw_beta, capped, intercept, standard_error, t, interval_low,
       interval_high, r_squared, condition_number, observations, window_days as "window",
       window_start::text as window_start, window_end::text as window_end, quality, reason, warnings
     from symbol_factor_exposures
     where symbol = $1 and calculation_date = coalesce($2::date, (select max(calculation_date)
       from symbol_factor_exposures where symbol = $1))`,
    [symbol, date],
  );
  type Row = z.infer<typeof exposuresSchema>['exposures'][number];
  const order = factors.map(({ id }) => id as string);
  const exposures = rows
    .map(({ calculation_date: _date, proxy_version: _version, ...row }) => row as unknown as Row)
    .sort((a, b) => order.indexOf(a.factor) - order.indexOf(b.factor));
  return {
    symbol,
    calculation_date: rows[0]?.calculation_date ?? null,
    quality: rows.length > 0 || listed.quality === 'not_applicable' ? listed.quality : null,
    proxy_version: rows[0]?.proxy_version ?? null,
    exposures,
    notes: listed.quality === 'not_applicable' ? [sentence(listed.quality_reason)] : [...readingNotes],
  };
}

function sentence(reason: string | null): string {
  const why = whyNotApplicable(reason);
  return `${why.charAt(0).toUpperCase()}${why.slice(1)}.`;
}
