import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { defaultExposures } from '../../src/factors/compute-exposures.ts';
import { exposureStore } from '../../src/factors/exposure.store.ts';
import { priceStore } from '../../src/market/price.store.ts';
import type { ProxySet } from '../../src/market/proxy-set.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../support/databases.ts';
import { holdOpen } from '../support/gates.ts';

const day = '2026-03-02';
const old = ['2026-02-23', '2026-02-24', '2026-02-25', '2026-02-26', '2026-02-27'];

async function insert(database: Database, versions: readonly string[]): Promise<void> {
  const closes = {} as ProxySet['closes'];
  await database.transaction(async (on) => {
    for (const version of versions) await priceStore(database).keepProxySet({ version, closes }, { on });
  });
}

async function prune(database: Database, before = day): Promise<number> {
  const store = priceStore(database, { proxySets: 2 });
  let batches = 1;
  for (let after: string | null = null; ; batches += 1) {
    after = await store.pruneProxySets(before, after);
    if (after === null) return batches;
  }
}

const kept = async (database: Database) => {
  const rows = await database.sql<{ version: string }>(
    'select version::text as version from proxy_sets order by version',
  );
  return rows.map(({ version }) => version);
};

describeOnEveryDatabase('the retention of proxy sets', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  beforeEach(() =>
    database.sql('truncate proxy_sets, symbol_factor_exposures, symbol_universe, onboarding_jobs cascade'),
  );
  const measure = async (
    symbol: string,
    universe: string | null,
    sets: Record<string, string>, // calculation date: proxy version
  ) => {
    await database.sql('insert into symbol_universe (symbol, calculation_date) values ($1, $2::date)', [
      symbol,
      universe,
    ]);
    const given = Object.entries(sets).map(([calculationDate, proxyVersion]) => ({
      symbol,
      calculationDate,
      proxyVersion,
      exposures: defaultExposures({ reason: 'too_few_observations', windowEnd: calculationDate }),
    }));
    await database.transaction((on) => exposureStore(database).replace(given, { on }));
  };

  test('deletes those of before the day, in batches, and nothing the second time', async () => {
    await insert(database, [...old, day, '2026-03-03']);
    expect(await prune(database)).toBe(3);
    expect(await kept(database)).toEqual([day, '2026-03-03']);
    await prune(database);
    expect(await kept(database)).toEqual([day, '2026-03-03']);
  });

  test('keeps the newest, however old it is', async () => {
    await insert(database, old);
    await prune(database, '2027-03-02');
    expect(await kept(database)).toEqual(['2026-02-27']);
  });

  test('keeps those with which the exposures were measured that are the newest or in the universe', async () => {
    await insert(database, [...old, '2026-03-03']);
    await measure('NEWEST', '2026-02-24', { '2026-02-23': '2026-02-23', '2026-02-24': '2026-02-24' });
    await measure('AHEAD', '2026-02-25', { '2026-02-25': '2026-02-25', '2026-03-03': '2026-03-03' });
    // Measured on the day after: the market had ended its session before New York did.
    await measure('TOKYO', '2026-03-02', { '2026-03-02': '2026-02-27' });
    await prune(database);
    expect(await kept(database)).toEqual(['2026-02-24', '2026-02-25', '2026-02-27', '2026-03-03']);
  });

  test('keeps the one that an unfinished job has begun with', async () => {
    await insert(database, [...old, '2026-03-03']);
    const job = (symbol: string, status: string, proxyVersion: string) =>
      database.sql(
        `insert into onboarding_jobs (id, symbol, reason, status, state, phase, machine_version, results)
         values (gen_random_uuid(), $1, 'upload', $2, $2, 'factors', 1, jsonb_build_object('proxyVersion', $3::text))`,
        [symbol, status, proxyVersion],
      );
    await job('GOES', 'processing', '2026-02-23');
    await job('WAITS', 'pending', '2026-02-25');
    await job('DONE', 'completed', '2026-02-24');
    await job('FAILED', 'failed', '2026-02-26'); // a retry measures with the proxies of its day
    await prune(database);
    expect(await kept(database)).toEqual(['2026-02-23', '2026-02-25', '2026-03-03']);
  });
});

describeOnDatabase('postgres', 'the retention of proxy sets on several nodes', (makeDatabase) => {
  test('is the work of one of them at a time', async () => {
    const database = await makeDatabase();
    await insert(database, old);
    const commit = await holdOpen(database, 'select pg_advisory_xact_lock(727279)');
    await prune(database);
    expect(await kept(database)).toEqual(old);
    await commit();
    await prune(database);
    expect(await kept(database)).toEqual(['2026-02-27']);
  });
});
