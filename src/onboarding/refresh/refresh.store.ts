import type { Database, Transaction } from '../../database/database.orm.ts';
import { rateSlackDays } from '../../market/rates.ts';
import { addDays } from '../../market/sessions.ts';
import type { AdmissionStore } from '../admission/admission.store.ts';

/** The last completed session of all exchanges with the same hours. */
export interface CompletedSession extends ExchangeHours {
  session: string;
}

export interface ExchangeHours {
  timeZone: string;
  sessionEnd: string;
  tradesWeekends: boolean;
}

/** Jobs that the service admits without a request from a user. All of them have the reason `refresh`. */
export interface UpkeepStore {
  /** The distinct exchange hours of all symbols in the universe. */
  hours(): Promise<ExchangeHours[]>;
  /** The number of symbols that lack a completed session and were not tried for it, and of unfinished refresh jobs. */
  progress(sessions: readonly CompletedSession[]): Promise<{ due: number; unfinished: number }>;
  /**
   * Admits at most `room` of them and returns how many. Each symbol is tried once per session over the whole cluster,
   * even if that fails, because a holiday has no bar. A delisted symbol is tried once a week.
   */
  refresh(sessions: readonly CompletedSession[], room: number): Promise<number>;
  /**
   * Admits one job per missing exchange-rate series, as far as the queue depth allows. A series whose job failed in this
   * session waits for the next session. Otherwise each symbol in an unquoted currency would request its rate again.
   */
  requestRates(symbols: readonly string[], options: { session: string }): Promise<void>;
  /** The exchange-rate series that lots need and do not have, without those that have an unfinished job. */
  lackingRates(): Promise<string[]>;
  /**
   * Symbols whose exposures are placeholders because the proxies were unavailable, and that were not tried with this
   * proxy version; with their newest job if it can be retried.
   */
  unmeasured(proxyVersion: string | null, limit: number): Promise<{ symbol: string; jobId: string | null }[]>;
  /** Admits at most `room` symbols that have a lot older than their stored splits. Returns how many. */
  deepen(room: number): Promise<number>;
  /** Admits one job per symbol. */
  admit(symbols: readonly string[]): Promise<void>;
}

/** The requester of jobs that no user requested. */
const requestedBy = 'service';

export function upkeepStore(database: Database, { admission }: { admission: AdmissionStore }): UpkeepStore {
  const admit = async (symbols: readonly string[], on: Transaction): Promise<string[]> => {
    const wanted = symbols.map((symbol) => ({ symbol, reason: 'refresh' as const }));
    const answer = await admission.admit(wanted, { requestedBy, on });
    return answer.kind === 'admitted' ? answer.jobs.map(({ symbol }) => symbol) : [];
  };
  return {
    hours: () => database.sql<ExchangeHours>(hoursSql),
    async progress(sessions) {
      const [row] = await database.sql<{ due: number; unfinished: number }>(progressSql, [
        JSON.stringify(sessions),
      ]);
      return row!;
    },
    refresh: (sessions, room) =>
      database.transaction(async (on) => {
        const marked = await database.sql<{ symbol: string }>(markDueSql, [JSON.stringify(sessions), room], {
          on,
        });
        if (marked.length === 0) return 0;
        const symbols = marked.map(({ symbol }) => symbol);
        const admitted = new Set(await admit(symbols, on));
        // Another admission took the room first, so these are due again.
        const refused = symbols.filter((symbol) => !admitted.has(symbol));
        if (refused.length > 0) await database.sql(markSql, [refused, null], { on });
        return admitted.size;
      }),
    deepen: (room) =>
      database.transaction(async (on) => {
        const wanted = await database.sql<{ symbol: string }>(shallowSql, [room], { on });
        if (wanted.length === 0) return 0;
        const symbols = wanted.map(({ symbol }) => symbol);
        const admitted = await admit(symbols, on);
        await database.sql(deepenedSql, [admitted], { on });
        return admitted.length;
      }),
    async requestRates(symbols, { session }) {
      const untried = await database.sql<{ symbol: string; has_failed: boolean }>(untriedSql, [
        symbols,
        dayBefore(session),
      ]);
      if (untried.length === 0) return;
      const names = untried.map(({ symbol }) => symbol);
      // The job of an upload failed, possibly in this session. Mark the series as tried, and wait for the next session.
      const due = untried.flatMap(({ symbol, has_failed }) => (has_failed ? [] : [symbol]));
      await database.transaction(async (on) => {
        await database.sql(reserveSql, [names, dayBefore(session)], { on });
        const admitted = new Set(await admit(due, on));
        const refused = due.filter((symbol) => !admitted.has(symbol));
        if (refused.length > 0) await database.sql(markSql, [refused, null], { on });
      });
    },
    async lackingRates() {
      const rows = await database.sql<{ symbol: string }>(lackingSql);
      return rows.map(({ symbol }) => symbol);
    },
    async unmeasured(proxyVersion, limit) {
      return database.sql(unmeasuredSql, [proxyVersion, limit]);
    },
    async admit(symbols) {
      if (symbols.length > 0) await database.transaction((on) => admit(symbols, on));
    },
  };
}

// A series is tried for a New York session, but its own session may end later, and that refresh must find it due. So it
// is marked one day early.
const dayBefore = (session: string): string => addDays(session, -1);

// A loose index scan: from one session to the next, without reading every symbol of each.
const hoursSql = `
  with recursive kept as (
    (${nextHoursSql('true')})
    union all
    select next.* from kept cross join lateral (${nextHoursSql(
      `(time_zone, session_end, type = 'CRYPTOCURRENCY') > (kept.time_zone, kept.session_end, kept.trades_weekends)`,
    )}) next
  )
  select time_zone as "timeZone", session_end as "sessionEnd", trades_weekends as "tradesWeekends" from kept`;

function nextHoursSql(condition: string): string {
  return `select time_zone, session_end, type = 'CRYPTOCURRENCY' as trades_weekends from symbol_universe
      where is_active and time_zone is not null and session_end is not null and type is not null and ${condition}
      order by time_zone, session_end, type = 'CRYPTOCURRENCY' limit 1`;
}

const newestJobSql =
  '(select status, error_code from onboarding_jobs j where j.symbol = u.symbol order by id desc limit 1)';

// A symbol without exchange hours is not listed here: it is refreshed when an upload needs it. `offset 0` makes each
// session find its symbols by the index, so that symbols that are not due are not read.
const dueSql = `
  with due as materialized (
    select u.symbol, h.session
    from jsonb_to_recordset($1::jsonb) as h("timeZone" text, "sessionEnd" text, "tradesWeekends" boolean, session date)
    cross join lateral (
      select symbol, refreshed_for from symbol_universe
      where is_active and time_zone = h."timeZone" and session_end = h."sessionEnd"
        and (type = 'CRYPTOCURRENCY') = h."tradesWeekends" and last_price_date < h.session
        and coalesce(refreshed_for < h.session, true)
      offset 0
    ) u
    left join lateral ${newestJobSql} j on true
    where coalesce(j.status not in ('pending', 'processing'), true)
      and not coalesce(j.error_code = 'delisted' and u.refreshed_for > h.session - 7, false)
  )`;

const progressSql = `
  ${dueSql}
  select (select count(*)::int from due) as due,
    (select count(*)::int from onboarding_jobs where reason = 'refresh' and status in ('pending', 'processing'))
      as unfinished`;

// Rows are locked one by one in order of symbol, until there are enough. Another node that runs this later finds the rows
// marked.
const markDueSql = `
  ${dueSql}, taken as materialized (
    select u.symbol, d.session from (select * from due order by symbol collate "C" offset 0) d
    cross join lateral (
      select symbol from symbol_universe u
      where u.symbol = d.symbol and coalesce(u.refreshed_for < d.session, true) for no key update skip locked
    ) u limit $2
  )
  update symbol_universe u set refreshed_for = taken.session from taken
  where u.symbol = any(array(select symbol from taken)) and u.symbol = taken.symbol
  returning u.symbol`;

const markSql = 'update symbol_universe set refreshed_for = $2::date where symbol = any($1::text[])';

// Inserts missing rows and marks all of them in one statement, which takes each exclusive row lock once, in order of
// symbol. With share locks first and the update later, two transactions would deadlock on the lock upgrade.
const reserveSql = `
  insert into symbol_universe as u (symbol, refreshed_for)
  select s.symbol, $2::date from unnest($1::text[]) as s(symbol) order by s.symbol collate "C"
  on conflict (symbol) do update set refreshed_for = excluded.refreshed_for`;

const shallowSql = `
  select symbol from symbol_universe where is_active and wanted_from < history_from
  order by symbol collate "C" limit $1 for no key update skip locked`;

// Requested once. Each later refresh of the symbol requests the splits that its lots need anyway.
const deepenedSql = 'update symbol_universe set wanted_from = null where symbol = any($1::text[])';

const untriedSql = `
  select s.symbol, coalesce(j.status in ('failed', 'cancelled') and u.refreshed_for is null, false) as has_failed
  from unnest($1::text[]) as s(symbol)
  left join symbol_universe u on u.symbol = s.symbol
  left join lateral (select status from onboarding_jobs where symbol = s.symbol order by id desc limit 1) j on true
  where j.status is null or j.status = 'completed' or j.status in ('failed', 'cancelled')
    and u.refreshed_for is distinct from $2::date
  order by s.symbol collate "C"`;

const lackingSql = `
  select r.symbol from (select symbol, min(since) as since from portfolio_rates group by symbol) r
  left join symbol_universe u on u.symbol = r.symbol
  where not coalesce(u.is_active and u.history_from <= r.since - ${rateSlackDays}, false)
    and not exists (select from onboarding_jobs j where j.symbol = r.symbol and j.status in ('pending', 'processing'))
  order by r.symbol`;

const unmeasuredSql = `
  select u.symbol, case when j.status = 'completed' and j.outcome = 'partial' then j.id end as "jobId"
  from symbol_universe u
  left join lateral (select id, status, outcome from onboarding_jobs where symbol = u.symbol order by id desc limit 1) j
    on true
  where u.is_active and u.quality_reason = 'reference_unavailable'
    and coalesce(j.status not in ('pending', 'processing'), true)
    and exists (select from symbol_factor_exposures e where e.symbol = u.symbol
      and e.calculation_date = u.calculation_date and e.reason = 'reference_unavailable'
      and e.proxy_version is distinct from $1::date)
  order by u.symbol collate "C" limit $2`;
