import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.orm.ts';
import { failures } from '../../../src/market/provider-failures.ts';
import { admissionStore } from '../../../src/onboarding/admission/admission.store.ts';
import { upkeepStore } from '../../../src/onboarding/refresh/refresh.store.ts';
import { upkeepOf } from '../../../src/onboarding/refresh/refresh.ts';
import { TestClock } from '../../support/clock.ts';
import { describeOnEveryDatabase } from '../../support/databases.ts';
import { emptyTables, jobRow, startNode } from '../fixture.ts';

const newYork = { type: 'EQUITY', timeZone: 'America/New_York', sessionEnd: '16:00' };
const tokyo = { type: 'EQUITY', timeZone: 'Asia/Tokyo', sessionEnd: '15:30' };
const crypto = { type: 'CRYPTOCURRENCY', timeZone: 'UTC', sessionEnd: '24:00' };

describeOnEveryDatabase('the upkeep', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  /** Friday 2026-07-31, 17:00 in New York. */
  async function node({ depthMax = 50, at = '2026-07-31T21:00:00Z' } = {}) {
    const { queue, operations, jobs, walk, admit } = await startNode(database, { depthMax });
    await emptyTables(database);
    await database.sql('truncate portfolio_rates, symbol_factor_exposures cascade');
    const clock = new TestClock(at);
    const admission = admissionStore(database, { queue, depthMax });
    const store = upkeepStore(database, { admission });
    const market = { away: false, asked: 0 };
    const proxies = {
      async current() {
        market.asked += 1;
        if (market.away) throw failures.timeout({ provider: 'simulated' });
        return { version: '2026-07-31', closes: {} as never };
      },
    };
    const upkeep = upkeepOf({ ...admission, ...operations, store, proxies, clock, depthMax });
    /** Ends what has been admitted; answers its symbols. */
    const work = async (...ends: string[]) => {
      const taken = await jobs.claim(100);
      for (const one of taken) await walk(one, ...ends);
      return taken.map(({ claim }) => claim.symbol).sort();
    };
    return { clock, upkeep, store, admit, work, market, jobs };
  }

  const enter = (symbol: string, hours: typeof newYork, lastPriceDate: string) =>
    database.sql(
      `insert into symbol_universe (symbol, type, time_zone, session_end, is_active, ready_at, last_price_date,
         last_price, price_version) values ($1, $2, $3, $4, true, now(), $5::date, 1, 1)`,
      [symbol, hours.type, hours.timeZone, hours.sessionEnd, lastPriceDate],
    );
  const priced = (symbol: string, date: string) =>
    database.sql('update symbol_universe set last_price_date = $2::date where symbol = $1', [symbol, date]);

  test('refreshes each symbol exactly once after its own exchange has completed a session', async () => {
    const { clock, upkeep, work } = await node();
    await enter('AAPL', newYork, '2026-07-30');
    await enter('MSFT', newYork, '2026-07-31');
    await enter('7203.T', tokyo, '2026-07-31');
    await enter('BTC-USD', crypto, '2026-07-30');
    expect(await upkeep.progress()).toEqual({ due: 1, unfinished: 0 });
    await upkeep.refresh();
    expect(await upkeep.progress()).toEqual({ due: 0, unfinished: 1 });
    expect(await work('completed')).toEqual(['AAPL']);
    expect(await jobRow(database, 'AAPL')).toMatchObject({ reason: 'refresh', requested_by: 'service' });
    // That day was a holiday: it has no bar, and nobody asks for it again.
    await upkeep.refresh();
    expect(await work()).toEqual([]);
    await clock.advanceTo(Date.parse('2026-08-01T00:00:00Z'));
    await upkeep.refresh();
    expect(await work('completed')).toEqual(['BTC-USD']);
    await priced('BTC-USD', '2026-07-31');
    await clock.advanceTo(Date.parse('2026-08-03T07:00:00Z'));
    await upkeep.refresh();
    expect(await work('completed'), 'Tokyo has closed, New York sleeps').toEqual(['7203.T', 'BTC-USD']);
  });

  test('takes at most half of the queue, and continues as jobs end', async () => {
    const { upkeep, admit, work } = await node({ depthMax: 6 });
    for (const symbol of ['A', 'B', 'C', 'D', 'E']) await enter(symbol, newYork, '2026-07-30');
    await admit(['UPLOAD1']);
    await upkeep.refresh();
    expect(await upkeep.progress()).toEqual({ due: 3, unfinished: 2 });
    expect(upkeep.ended()).toBe(true);
    await upkeep.refresh();
    expect(await upkeep.progress()).toEqual({ due: 3, unfinished: 2 });
    expect(await admit(['UPLOAD2', 'UPLOAD3', 'UPLOAD4'])).toMatchObject({ kind: 'admitted' });
    await work('completed');
    await upkeep.refresh();
    expect(await upkeep.progress()).toEqual({ due: 0, unfinished: 3 });
    expect(upkeep.ended()).toBe(false);
  });

  test('queries again when an eighth of the queue has ended, not after each job', async () => {
    const { upkeep } = await node({ depthMax: 24 });
    for (let n = 0; n < 30; n += 1) await enter(`S${n}`, newYork, '2026-07-30');
    await upkeep.refresh();
    expect([upkeep.ended(), upkeep.ended(), upkeep.ended()]).toEqual([false, false, true]);
    await upkeep.refresh();
    expect(upkeep.ended()).toBe(false);
  });

  test('lets jobs that users wait for be claimed first', async () => {
    const { upkeep, admit, jobs } = await node();
    await enter('OLD', newYork, '2026-07-30');
    await upkeep.refresh();
    await admit(['UPLOAD']);
    expect((await jobs.claim(1)).map(({ claim }) => claim.symbol)).toEqual(['UPLOAD']);
    expect((await jobs.claim(1)).map(({ claim }) => claim.symbol)).toEqual(['OLD']);
  });

  test('admits each symbol once when several nodes run it concurrently', async () => {
    const { upkeep, work } = await node();
    for (let n = 0; n < 10; n += 1) await enter(`S${n}`, newYork, '2026-07-30');
    await Promise.all(Array.from({ length: 4 }, () => upkeep.refresh()));
    expect(await work('completed')).toHaveLength(10);
    await upkeep.refresh();
    expect(await work()).toEqual([]);
  });

  test('tries a delisted symbol once a week', async () => {
    const { clock, upkeep, work } = await node();
    await enter('DEAD', newYork, '2026-06-01');
    await upkeep.refresh();
    expect(await work('failed')).toEqual(['DEAD']);
    await database.sql(`update onboarding_jobs set error_code = 'delisted'`);
    const tried: string[] = [];
    for (let day = 3; day <= 14; day += 1) {
      await clock.advanceTo(Date.parse(`2026-08-${String(day).padStart(2, '0')}T21:00:00Z`));
      await upkeep.refresh();
      if ((await work('failed')).length > 0) tried.push(`2026-08-${day}`);
      await database.sql(`update onboarding_jobs set error_code = 'delisted'`);
    }
    expect(tried).toEqual(['2026-08-7', '2026-08-14']);
  });

  test('measures placeholders when the proxies are available again, and requests nothing else before', async () => {
    const { upkeep, admit, work, market } = await node();
    await enter('AAPL', newYork, '2026-07-31');
    await admit(['AAPL']);
    await work('completed');
    await database.sql(`update onboarding_jobs set outcome = 'partial', partial = true`);
    await database.sql(
      `update symbol_universe set quality_reason = 'reference_unavailable', calculation_date = '2026-07-31'`,
    );
    const measure = (proxyVersion: string | null) =>
      database.sql(
        `insert into symbol_factor_exposures (symbol, calculation_date, factor, factor_group, method, beta, raw_beta,
           capped, observations, window_days, quality, reason, proxy_version)
         values ('AAPL', '2026-07-31', 'market_beta', 'market', 'ols', 1, 1, false, 0, 90, 'default',
           'reference_unavailable', $1)
         on conflict (symbol, calculation_date, factor) do update set proxy_version = excluded.proxy_version`,
        [proxyVersion],
      );
    await measure(null);
    market.away = true;
    await upkeep.remeasure();
    expect(await jobRow(database, 'AAPL')).toMatchObject({ status: 'completed' });
    market.away = false;
    await upkeep.remeasure();
    expect(market.asked).toBe(2);
    expect(await jobRow(database, 'AAPL')).toMatchObject({ status: 'pending', phase: 'factors' });
    await upkeep.remeasure();
    expect(market.asked, 'it is under way').toBe(2);
    expect(await work('completed')).toEqual(['AAPL']);
    // The proxies are there and too short themselves: measuring again would say the same.
    await measure('2026-07-31');
    await upkeep.remeasure();
    expect(market.asked).toBe(2);
  });

  test('requests a missing exchange rate, and after a failure waits for the next session', async () => {
    const { clock, upkeep, admit, work } = await node();
    await database.sql(
      `insert into portfolios (id, owner, name, base_currency) values ('01a20497-20be-7cb8-9de4-313a1fb3fa94', 'local', 'x', 'USD')`,
    );
    await database.sql(
      `insert into portfolio_rates (portfolio_id, symbol, since)
       values ('01a20497-20be-7cb8-9de4-313a1fb3fa94', 'USDXAF=X', '2025-01-02')`,
    );
    await upkeep.rates();
    await upkeep.rates();
    expect(await work('failed')).toEqual(['USDXAF=X']);
    await upkeep.rates();
    expect(await work()).toEqual([]);
    await clock.advanceTo(Date.parse('2026-08-03T21:00:00Z'));
    await upkeep.rates();
    expect(await work('completed')).toEqual(['USDXAF=X']);
    await database.sql(
      `update symbol_universe set is_active = true, history_from = '2024-12-23' where symbol = 'USDXAF=X'`,
    );
    await upkeep.rates();
    expect(await work()).toEqual([]);
    // Somebody joined the job after it had asked, with an older lot.
    await database.sql(`update portfolio_rates set since = '2024-01-02'`);
    await upkeep.rates();
    expect(await work('completed')).toEqual(['USDXAF=X']);
    expect(await admit([])).toMatchObject({ kind: 'admitted' });
  });

  test('requests each rate once when several nodes miss it concurrently', async () => {
    const { store, work } = await node();
    for (const base of ['A', 'B', 'C', 'D', 'E']) {
      const symbols = ['X', 'Y', 'Z'].map((currency) => `USD${base}${base}${currency}=X`);
      const request = () => store.requestRates(symbols, { session: '2026-07-31' });
      await Promise.all([request(), request(), request(), request()]);
      expect(await work('completed')).toEqual(symbols);
    }
  });
});
