import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { computeExposures, defaultExposures } from '../../src/factors/compute-exposures.ts';
import { exposureStore } from '../../src/factors/exposure.store.ts';
import { factors } from '../../src/factors/factor-catalog.ts';
import { priceStore } from '../../src/market/price.store.ts';
import { proxySource } from '../../src/market/proxy-source.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { symbolQueries } from '../../src/universe/symbol.query.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';

describeOnEveryDatabase('the exposure store', (makeDatabase) => {
  let database: Database;
  const clock = new TestClock('2026-07-31T22:00:00Z');
  beforeAll(async () => {
    database = await makeDatabase();
    await database.sql(`insert into symbol_universe (symbol) values ('AAPL')`);
  });
  beforeEach(() => database.sql('truncate symbol_factor_exposures'));
  const replace = (
    exposures: ReturnType<typeof defaultExposures>,
    { symbol = 'AAPL', date = '2026-07-31', proxyVersion = null as string | null } = {},
  ) =>
    database.transaction((on) =>
      exposureStore(database).replace([{ symbol, calculationDate: date, proxyVersion, exposures }], { on }),
    );
  const stored = async (date?: string) =>
    (await symbolQueries(database, { concurrency: 3, retryLimit: 3, clock }).exposures('AAPL', { date }))!;
  const count = async () => (await database.sql('select 1 from symbol_factor_exposures')).length;

  test('keeps what was measured to the last bit, in the order of the catalogue', async () => {
    const market = simulatedProvider({ clock });
    const prices = priceStore(database);
    const set = await proxySource({ provider: market, prices, database, clock }).current();
    const { bars } = await market.history({ symbol: 'AAPL', from: '2025-07-31', to: '2026-07-31' });
    const symbol = { dates: bars.map(({ date }) => date), closes: bars.map((one) => one.adjustedClose) };
    const exposures = computeExposures({ symbol, proxies: set });
    await replace(exposures, { proxyVersion: set.version });
    const read = await stored();
    expect(read).toMatchObject({ calculation_date: '2026-07-31', proxy_version: '2026-07-31' });
    expect(read.exposures.map(({ factor }) => factor)).toEqual(factors.map(({ id }) => id));
    for (const [index, row] of exposures.entries()) {
      expect(read.exposures[index]).toMatchObject({
        beta: row.beta,
        raw_beta: row.rawBeta,
        capped: row.capped,
        intercept: row.intercept,
        standard_error: row.standardError,
        t: row.t,
        interval_low: row.intervalLow,
        interval_high: row.intervalHigh,
        r_squared: row.rSquared,
        condition_number: row.conditionNumber,
        observations: row.observations,
        window: row.window,
        window_start: row.windowStart,
        window_end: row.windowEnd,
        quality: row.quality,
        reason: row.reason,
        warnings: row.warnings,
      });
    }
  });

  test('replaces the rows of one symbol and date: doing it twice leaves twelve', async () => {
    const rows = defaultExposures({ reason: 'too_few_observations', windowEnd: '2026-07-31' });
    await replace(rows);
    await replace(defaultExposures({ reason: 'reference_unavailable', windowEnd: '2026-07-31' }));
    expect(await count()).toBe(12);
    expect((await stored()).exposures.map(({ reason }) => reason)).toEqual(
      factors.map(() => 'reference_unavailable'),
    );
  });

  test('keeps history by date, and other symbols as they are', async () => {
    const rows = (windowEnd: string) => defaultExposures({ reason: 'calculation_failed', windowEnd });
    await replace(rows('2026-07-30'), { date: '2026-07-30' });
    await replace(rows('2026-07-31'));
    await replace(rows('2026-07-31'), { symbol: 'MSFT' });
    await replace(rows('2026-07-31'));
    expect(await count()).toBe(36);
    expect((await stored()).calculation_date).toBe('2026-07-31');
    expect((await stored('2026-07-30')).calculation_date).toBe('2026-07-30');
  });
});
