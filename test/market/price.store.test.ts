import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { priceStore } from '../../src/market/price.store.ts';
import type { Bar, CorporateAction } from '../../src/market/provider.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';

const bar = (date: string, close: string, adjustedClose = Number(close)): Bar => ({
  date,
  open: null,
  high: '239.65',
  low: '0.000001',
  close,
  adjustedClose,
  volume: '12345678901234567890',
});

describeOnEveryDatabase('the price store', (makeDatabase, kind) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  beforeEach(() => database.sql('truncate prices, corporate_actions'));
  const replace = (
    symbol: string,
    bars: Bar[],
    actions: CorporateAction[] = [],
    actionsFrom = '2025-07-31',
  ) =>
    database.transaction((on) =>
      priceStore(database).replace([{ symbol, bars, actions, actionsFrom }], { on }),
    );
  const rows = (symbol: string) =>
    database.sql('select date::text as date, close from prices where symbol = $1 order by date', [symbol]);

  test('keeps every digit of a price and every bit of an adjusted close', async () => {
    const adjusted = 239.64999389648438 / 3;
    await replace('AAPL', [bar('2026-07-30', '123456789012345.12345678', adjusted)]);
    expect(await database.sql('select * from prices')).toMatchObject([
      {
        open: null,
        high: '239.65',
        low: '0.000001',
        close: '123456789012345.12345678',
        adjusted_close: adjusted,
        volume: '12345678901234567890',
      },
    ]);
    expect(await priceStore(database).closes('AAPL')).toEqual({ dates: ['2026-07-30'], closes: [adjusted] });
  });

  test('replaces the whole series: what the provider no longer has is gone, other symbols are not', async () => {
    await replace('MSFT', [bar('2026-07-30', '1')]);
    await replace('AAPL', [bar('2026-07-29', '10'), bar('2026-07-30', '11')]);
    await replace('AAPL', [bar('2026-07-31', '13'), bar('2026-07-30', '12')]);
    expect(await rows('AAPL')).toEqual([
      { date: '2026-07-30', close: '12' },
      { date: '2026-07-31', close: '13' },
    ]);
    expect(await rows('MSFT')).toHaveLength(1);
  });

  test('does the same thing twice as once, splits and dividends included', async () => {
    const actions: CorporateAction[] = [
      { date: '2026-07-30', kind: 'split', numerator: 10, denominator: 1 },
      { date: '2026-07-30', kind: 'dividend', amount: '0.2525' },
    ];
    const state = () => database.sql('select * from corporate_actions order by kind');
    await replace('AAPL', [bar('2026-07-30', '11')], actions);
    const once = await state();
    await replace('AAPL', [bar('2026-07-30', '11')], actions);
    expect(await state()).toEqual(once);
    expect(once).toMatchObject([{ amount: '0.2525' }, { numerator: '10', denominator: '1' }]);
    await replace('AAPL', [bar('2026-07-30', '11')]);
    expect(await state()).toEqual([]);
  });

  test('keeps the splits from before the day that was asked for', async () => {
    const split = { kind: 'split', numerator: 10, denominator: 1 } as const;
    await replace('SPY', [bar('2026-07-30', '11')], [{ ...split, date: '2020-01-06' }], '2019-01-02');
    await replace('SPY', [bar('2026-07-30', '11')], [{ ...split, date: '2026-01-06' }]);
    await replace('SPY', [bar('2026-07-30', '11')]);
    expect(await database.sql('select date::text as date from corporate_actions')).toEqual([
      { date: '2020-01-06' },
    ]);
  });

  const split: CorporateAction = { date: '2026-07-31', kind: 'split', numerator: 4, denominator: 1 };

  test('takes a series whose past has changed whole, or not at all', async () => {
    const actions = () => database.sql('select kind from corporate_actions');
    await replace('AAPL', [bar('2026-07-29', '400'), bar('2026-07-30', '404')]);
    const refetched = [bar('2026-07-29', '100'), bar('2026-07-30', '101'), bar('2026-07-31', '102')];
    const undone = database.transaction(async (on) => {
      const series = { symbol: 'AAPL', bars: refetched, actions: [split], actionsFrom: '2025-01-01' };
      await priceStore(database).replace([series], { on });
      throw new Error('the claim was lost');
    });
    await expect(undone).rejects.toThrow('the claim was lost');
    expect(await priceStore(database).closes('AAPL')).toMatchObject({ closes: [400, 404] });
    expect(await actions()).toEqual([]);
    await replace('AAPL', refetched, [split]);
    expect(await priceStore(database).closes('AAPL')).toMatchObject({ closes: [100, 101, 102] });
    expect(await actions()).toEqual([{ kind: 'split' }]);
  });

  if (kind === 'postgres') {
    test('shows nobody a series that is half old and half new', async () => {
      await replace('AAPL', [bar('2026-07-29', '400'), bar('2026-07-30', '404')]);
      const replaced = Promise.withResolvers<void>();
      const looked = Promise.withResolvers<void>();
      const replacing = database.transaction(async (on) => {
        const bars = [bar('2026-07-30', '101')];
        const series = { symbol: 'AAPL', bars, actions: [split], actionsFrom: '2025-01-01' };
        await priceStore(database).replace([series], { on });
        replaced.resolve();
        await looked.promise;
      });
      await replaced.promise;
      expect(await priceStore(database).closes('AAPL')).toMatchObject({ closes: [400, 404] });
      looked.resolve();
      await replacing;
      expect(await priceStore(database).closes('AAPL')).toMatchObject({ closes: [101] });
    });

    test('leaves the series of one of two who write a symbol at once, whole', async () => {
      for (const before of [[], [bar('2026-07-29', '1')]]) {
        await replace('SPY', before);
        const written = Promise.withResolvers<void>();
        const commit = Promise.withResolvers<void>();
        const first = database.transaction(async (on) => {
          const bars = [bar('2026-07-28', '10'), bar('2026-07-29', '11')];
          const series = { symbol: 'SPY', bars, actions: [], actionsFrom: '2025-01-01' };
          await priceStore(database).replace([series], { on });
          written.resolve();
          await commit.promise;
        });
        await written.promise;
        const second = replace('SPY', [bar('2026-07-29', '21'), bar('2026-07-30', '22')]);
        const blocked = `select 1 from pg_stat_activity
          where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`;
        while ((await database.sql(blocked)).length === 0);
        commit.resolve();
        await Promise.all([first, second]);
        expect(await rows('SPY')).toEqual([
          { date: '2026-07-29', close: '21' },
          { date: '2026-07-30', close: '22' },
        ]);
      }
    });
  }

  test('answers no closes for a symbol without prices', async () => {
    expect(await priceStore(database).closes('NONE')).toEqual({ dates: [], closes: [] });
  });
});
