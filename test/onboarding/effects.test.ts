import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/database.ts';
import { exposureStore } from '../../src/factors/exposure.store.ts';
import { defaultExposures } from '../../src/factors/exposures.ts';
import { priceStore } from '../../src/market/price.store.ts';
import { effectsOn } from '../../src/onboarding/effects.ts';
import type { TakenClaim } from '../../src/onboarding/ports.ts';
import { snapshotStore } from '../../src/portfolio/snapshot.store.ts';
import { universeStore } from '../../src/universe/universe.store.ts';
import { enter, lotOf, save } from '../portfolio/holdings.ts';
import { priced, session } from '../portfolio/snapshots.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { emptyTables, jobRow, startNode } from './fixture.ts';

const date = '2026-07-30';
const bar = { date, open: null, high: null, low: null, close: '11', adjustedClose: 11, volume: null };

describeOnEveryDatabase('effects of several jobs at once', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const start = async () => {
    const node = await startNode(database);
    await emptyTables(database);
    await database.sql('truncate prices, symbol_factor_exposures');
    await node.admit(['AAPL', 'LOST', 'MSFT']);
    const effects = effectsOn({
      database,
      fence: node.fence,
      prices: priceStore(database),
      exposures: exposureStore(database),
      universe: universeStore(database),
      snapshots: snapshotStore(database, { feedChannel: 'feed' }),
      snapshotBatch: 2,
      together: { attribution: { current: () => null, onBehalfOf: (_, work) => work() } },
    });
    const taken = await node.jobs.claim(3);
    await database.sql(`update onboarding_jobs set claim_epoch = claim_epoch + 1 where symbol = 'LOST'`);
    return { effects, taken: taken.sort((a, b) => (a.claim.symbol < b.claim.symbol ? -1 : 1)) };
  };
  const seriesOf = ({ claim }: TakenClaim) => ({
    claim,
    provider: 'files',
    instrument: {
      ...{ symbol: claim.symbol, name: null, type: 'EQUITY' as const, currency: 'USD', exchange: null },
      ...{ timeZone: 'America/New_York', sessionEnd: '16:00' },
    },
    series: { symbol: claim.symbol, bars: [bar], actions: [], actionsFrom: date },
    results: { bars: 1, lastClose: claim.symbol },
  });
  /** What became of each, and the symbols in a table after it. */
  const outcomes = async (work: Promise<void>[]) =>
    (await Promise.allSettled(work)).map((one) => (one.status === 'rejected' ? one.reason.code : 'done'));
  const symbolsIn = async (table: string) =>
    (await database.sql<{ symbol: string }>(`select distinct symbol from ${table} order by symbol`)).map(
      ({ symbol }) => symbol,
    );

  test('are written but for those of a claim that was lost', async () => {
    const { effects, taken } = await start();
    expect(await outcomes(taken.map((one) => effects.keepSeries(seriesOf(one))))).toEqual([
      'done',
      'claim_lost',
      'done',
    ]);
    expect(await symbolsIn('prices')).toEqual(['AAPL', 'MSFT']);
    const resultsOf = async (symbol: string) => (await jobRow(database, symbol)).results;
    expect(await resultsOf('AAPL')).toEqual({ bars: 1, lastClose: 'AAPL' });
    expect(await resultsOf('LOST')).toEqual({});
    expect(await symbolsIn('symbol_universe where type is not null')).toEqual(['AAPL', 'MSFT']);
    const exposures = defaultExposures({ reason: 'too_few_observations', windowEnd: date });
    const set = { calculationDate: date, proxyVersion: null, exposures };
    const keep = ({ claim }: TakenClaim) =>
      effects.keepExposures({ claim, set: { ...set, symbol: claim.symbol } });
    expect(await outcomes(taken.map(keep))).toEqual(['done', 'claim_lost', 'done']);
    expect(await symbolsIn('symbol_factor_exposures')).toEqual(['AAPL', 'MSFT']);
    expect(await outcomes([keep(taken[0]!)]), 'and twice as once').toEqual(['done']);
  });

  test('bring a portfolio up to date once for all symbols that come to it, in batches until none is due', async () => {
    const { effects, taken } = await start();
    await enter(database, [priced('AAPL', '120'), priced('LOST', '5'), priced('MSFT', '30')]);
    const both = await save(database, 'USD', [lotOf(), lotOf({ symbol: 'MSFT' })]);
    for (const symbol of ['AAPL', 'AAPL', 'LOST', 'MSFT']) await save(database, 'USD', [lotOf({ symbol })]);
    const round = ({ claim }: TakenClaim) => effects.updateSnapshots({ claim, session });
    const more = ({ claim }: TakenClaim) => effects.updateMoreSnapshots({ claim, session });
    const [aapl, lost, msft] = taken as [TakenClaim, TakenClaim, TakenClaim];
    const rounds = await Promise.allSettled([round(aapl), round(lost), round(msft)]);
    expect(rounds[1]).toMatchObject({ reason: { code: 'claim_lost' } });
    // Alone behind the one that failed, so a batch of two each.
    expect(rounds[0]).toMatchObject({ value: { portfolios: 2, isLast: false } });
    expect(await more(aapl)).toMatchObject({ portfolios: 1, isLast: true });
    expect(await Promise.all([more(aapl), more(msft)])).toMatchObject([{ portfolios: 0 }, { portfolios: 0 }]);
    const written = await database.sql<{ portfolio_id: string; total_value: string; position_count: number }>(
      'select portfolio_id, total_value, position_count from portfolio_snapshots order by total_value',
    );
    expect(written.map((row) => row.total_value)).toEqual(['300.00', '1200.00', '1200.00', '1500.00']);
    expect(written.at(-1)).toMatchObject({ portfolio_id: both, position_count: 2 });
  });

  test('enter the universe but for what is to be cancelled', async () => {
    const { effects, taken } = await start();
    await Promise.all([effects.keepSeries(seriesOf(taken[0]!)), effects.keepSeries(seriesOf(taken[2]!))]);
    await database.sql(`update onboarding_jobs set cancel_requested_at = now() where symbol = 'AAPL'`);
    const enter = ({ claim }: TakenClaim) => {
      const entry = { symbol: claim.symbol, quality: 'default', reason: null, calculationDate: date };
      return effects.enterUniverse({ claim, entry });
    };
    expect(await outcomes(taken.map(enter))).toEqual(['job_cancelled', 'claim_lost', 'done']);
    expect(await database.sql('select symbol, last_price from symbol_universe where is_active')).toEqual([
      { symbol: 'MSFT', last_price: '11' },
    ]);
    expect((await jobRow(database, 'AAPL')).universe_committed_at).toBeNull();
    expect((await jobRow(database, 'MSFT')).universe_committed_at).not.toBeNull();
  });
});
