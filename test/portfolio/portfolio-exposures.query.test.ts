import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Viewer } from '../../src/contract/service.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { defaultExposures } from '../../src/factors/compute-exposures.ts';
import { exposureStore } from '../../src/factors/exposure.store.ts';
import type { Exposure } from '../../src/factors/factor-catalog.ts';
import { portfolioExposuresQuery } from '../../src/portfolio/portfolio-exposures.query.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { enter, lotOf, save } from './holdings.ts';
import { clear, priced, storeOf } from './snapshots.ts';

const operator: Viewer = { name: 'root', role: 'operator' };

describeOnEveryDatabase('the exposures of a portfolio', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  beforeEach(async () => {
    await clear(database);
    await database.sql('truncate symbol_factor_exposures');
  });

  /** Every factor of a symbol has this beta on a calculation date. */
  const measured = (symbol: string, calculationDate: string, beta: number) => {
    const rows = defaultExposures({ reason: 'too_few_observations', windowEnd: calculationDate });
    const exposures = rows.map((row): Exposure => ({ ...row, beta, quality: 'full_history', reason: null }));
    return database.transaction((on) =>
      exposureStore(database).replace([{ symbol, calculationDate, proxyVersion: null, exposures }], { on }),
    );
  };
  /** The measurement that the universe goes by. */
  const takenOver = (symbol: string, date: string | null) =>
    database.sql('update symbol_universe set calculation_date = $2::date where symbol = $1', [symbol, date]);
  const held = async (...symbols: string[]) => {
    await enter(
      database,
      symbols.map((symbol) => priced(symbol, '100')),
    );
    const lots = symbols.map((symbol) => lotOf({ symbol, quantity: '10' }));
    const id = await save(database, 'USD', lots);
    await storeOf(database).recompute([id]);
    return id;
  };
  const of = async (id: string, viewer = operator) =>
    (await portfolioExposuresQuery(database).exposures(id, viewer))!;

  test('are those of the measurement that its symbol goes by, neither an older nor a newer one', async () => {
    const id = await held('AAPL');
    await measured('AAPL', '2026-07-28', 0.25);
    await measured('AAPL', '2026-07-29', 0.5);
    await measured('AAPL', '2026-07-30', 2);
    await takenOver('AAPL', '2026-07-29');
    const body = await of(id);
    expect(body).toMatchObject({ gross_value: '1000.00', oldest_calculation_date: '2026-07-29' });
    expect(body.exposures).toHaveLength(12);
    for (const row of body.exposures) {
      expect(row).toMatchObject({
        dollar_exposure: '500.00',
        measured_gross_value: '1000.00',
        beta_gross: 0.5,
      });
    }
  });

  test('say how old the oldest of its measurements is', async () => {
    const id = await held('AAPL', 'MSFT');
    for (const [symbol, date] of [
      ['AAPL', '2026-07-29'],
      ['MSFT', '2026-07-27'],
    ] as const) {
      await measured(symbol, date, 1);
      await takenOver(symbol, date);
    }
    expect(await of(id)).toMatchObject({ gross_value: '2000.00', oldest_calculation_date: '2026-07-27' });
  });

  test('have no measurement of a symbol that goes by none, whatever is stored', async () => {
    const id = await held('AAPL');
    await measured('AAPL', '2026-07-29', 0.5);
    await takenOver('AAPL', null);
    const { exposures } = await of(id);
    expect(exposures[0]).toMatchObject({
      dollar_exposure: '0.00',
      beta_gross: null,
      beta_net_reason: 'nothing_measured',
      gross_shares: { full_history: '0.000000', not_applicable: '1.000000' },
    });
  });

  test('are for its owner and for operators', async () => {
    const id = await held('AAPL'); // of `local`
    expect(await of(id, { name: 'local', role: 'user' })).toEqual(await of(id));
    expect(await of(id, { name: 'ann', role: 'user' })).toBeNull();
  });
});
