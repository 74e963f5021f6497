import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { defaultExposures } from '../../src/factors/compute-exposures.ts';
import { type ExposureBatch, exposureStore } from '../../src/factors/exposure.store.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../support/databases.ts';
import { holdOpen } from '../support/gates.ts';

const day = '2026-03-02';
const small = { symbols: 1, sets: 2 };

/** Puts symbols into the universe, each with the set that it names, and stores sets of exposures. */
async function insert(
  database: Database,
  symbols: Record<string, { universe?: string; sets: readonly string[] }>,
): Promise<void> {
  for (const [symbol, { universe = null, sets }] of Object.entries(symbols)) {
    await database.sql('insert into symbol_universe (symbol, calculation_date) values ($1, $2::date)', [
      symbol,
      universe,
    ]);
    const given = sets.map((calculationDate) => ({
      symbol,
      calculationDate,
      proxyVersion: calculationDate,
      exposures: defaultExposures({ reason: 'too_few_observations', windowEnd: calculationDate }),
    }));
    await database.transaction((on) => exposureStore(database).replace(given, { on }));
  }
}

async function prune(database: Database, batch: ExposureBatch = small): Promise<number> {
  const store = exposureStore(database, batch);
  let batches = 1;
  for (let after: string | null = null; ; batches += 1) {
    after = await store.prune(day, after);
    if (after === null) return batches;
  }
}

const kept = async (database: Database) => {
  const rows = await database.sql<{ symbol: string; date: string; n: number }>(
    `select symbol, calculation_date::text as date, count(*)::int as n from symbol_factor_exposures
     group by symbol, calculation_date order by symbol, calculation_date`,
  );
  expect(rows.every(({ n }) => n === 12)).toBe(true); // a set is whole or gone
  const sets: Record<string, string[]> = {};
  for (const { symbol, date } of rows) sets[symbol] = [...(sets[symbol] ?? []), date];
  return sets;
};

describeOnEveryDatabase('the retention of exposures', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  beforeEach(() =>
    database.sql('truncate symbol_factor_exposures, symbol_universe, onboarding_jobs cascade'),
  );

  const old = ['2026-01-05', '2026-01-06', '2026-01-07', '2026-02-27', '2026-03-01'];

  test('deletes sets of before the day, whole, whatever the size of a batch', async () => {
    const sets = { universe: '2026-03-03', sets: [...old, day, '2026-03-03'] };
    await insert(database, { A: sets, B: { sets: [] }, C: sets });
    expect(await prune(database)).toBeGreaterThan(5);
    expect(await kept(database)).toEqual({ A: [day, '2026-03-03'], C: [day, '2026-03-03'] });
  });

  test('does as much in one batch where it has the size', async () => {
    const sets = { universe: day, sets: [...old, day] };
    await insert(database, { A: sets, B: sets, C: sets });
    expect(await prune(database, { symbols: 10, sets: 100 })).toBe(1);
    expect(await kept(database)).toEqual({ A: [day], B: [day], C: [day] });
  });

  test('keeps the newest set of a symbol, and the one that the universe names', async () => {
    await insert(database, {
      BOTH: { universe: '2026-02-27', sets: old },
      BEHIND: { universe: '2026-01-06', sets: old },
      NOWHERE: { sets: old },
    });
    await prune(database);
    const after = {
      BOTH: ['2026-02-27', '2026-03-01'],
      BEHIND: ['2026-01-06', '2026-03-01'],
      NOWHERE: ['2026-03-01'],
    };
    expect(await kept(database)).toEqual(after);
    await prune(database);
    expect(await kept(database)).toEqual(after);
  });

  test('keeps what an unfinished job has stored, or a failed one that may be retried', async () => {
    const sets = { universe: '2026-03-01', sets: old };
    await insert(database, { GOES: sets, FAILED: sets, DONE: sets });
    const job = (symbol: string, status: string, calculationDate: string) =>
      database.sql(
        `insert into onboarding_jobs (id, symbol, reason, status, state, phase, machine_version, results)
         values (gen_random_uuid(), $1, 'upload', $2, $2, 'universe', 1, jsonb_build_object('calculationDate', $3::text))`,
        [symbol, status, calculationDate],
      );
    await job('GOES', 'processing', '2026-01-05');
    await job('FAILED', 'failed', '2026-01-06');
    await job('DONE', 'completed', '2026-01-07');
    await prune(database);
    expect(await kept(database)).toEqual({
      GOES: ['2026-01-05', '2026-03-01'],
      FAILED: ['2026-01-06', '2026-03-01'],
      DONE: ['2026-03-01'],
    });
  });
});

describeOnDatabase('postgres', 'the retention of exposures on several nodes', (makeDatabase) => {
  test('is the work of one of them at a time', async () => {
    const database = await makeDatabase();
    await insert(database, { A: { sets: ['2026-01-05', '2026-01-06'] } });
    const commit = await holdOpen(database, 'select pg_advisory_xact_lock(727278)');
    await prune(database);
    expect(await kept(database)).toEqual({ A: ['2026-01-05', '2026-01-06'] });
    await commit();
    await prune(database);
    expect(await kept(database)).toEqual({ A: ['2026-01-06'] });
  });
});
