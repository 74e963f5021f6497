import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { priceStore } from '../../src/market/price.store.ts';
import { failures } from '../../src/market/provider-failures.ts';
import { proxies } from '../../src/market/proxy-set.ts';
import { proxySource } from '../../src/market/proxy-source.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';

describeOnEveryDatabase('the proxies', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  beforeEach(() => database.sql('truncate proxy_sets, prices, corporate_actions'));

  // Friday 2026-07-31, 18:00 in New York: the session is complete.
  const node = (clock = new TestClock('2026-07-31T22:00:00Z')) => {
    const provider = simulatedProvider({ clock });
    const source = proxySource({ provider, prices: priceStore(database), database, clock });
    return { clock, provider, source };
  };

  test('are asked for once per session, however many ask at once or later', async () => {
    const { provider, source } = node();
    const sets = await Promise.all(Array.from({ length: 20 }, () => source.current()));
    sets.push(await source.current());
    expect(new Set(sets).size).toBe(1);
    expect(provider.requests().histories).toEqual(Object.fromEntries(proxies.map((symbol) => [symbol, 1])));
    const [set] = sets;
    expect(set!.version).toBe('2026-07-31');
    for (const symbol of proxies) {
      const { dates, closes } = set!.closes[symbol];
      expect([dates[0], dates.at(-1), closes.length]).toEqual(['2025-07-31', '2026-07-31', dates.length]);
    }
  });

  test('are stored in the common table, and not asked for again by the next process', async () => {
    const first = node();
    const set = await first.source.current();
    const second = node();
    expect(await second.source.current()).toEqual(set);
    expect(second.provider.requests().history).toBe(0);
    const [row] = await database.sql(
      `select close, adjusted_close from prices where symbol = 'SPY' order by date desc`,
    );
    expect(row).toMatchObject({ adjusted_close: set.closes.SPY.closes.at(-1) });
  });

  test('are fetched anew when New York has completed another session, and the old set stays what it was', async () => {
    const { clock, provider, source } = node();
    expect(source.inMemory('2026-07-31')).toBeNull();
    const friday = await source.current();
    expect(source.inMemory('2026-07-31')).toBe(friday);
    await clock.advanceTo(Date.parse('2026-08-03T20:29:59.999Z'));
    expect((await source.current()).version).toBe('2026-07-31');
    await clock.advance(1);
    expect((await source.current()).version).toBe('2026-08-03');
    expect(provider.requests().history).toBe(16);
    expect(source.inMemory('2026-07-31')).toBeNull();
    expect(await source.version('2026-07-31')).toEqual(friday);
    expect(await source.version('2026-07-30')).toBeNull();
  });

  test('tell a failure to all who wait, forget it, and leave nothing half stored', async () => {
    const { clock } = node();
    const inner = simulatedProvider({ clock });
    let broken = true;
    const provider = {
      history: async (request: Parameters<typeof inner.history>[0]) => {
        if (broken && request.symbol === 'USMV') throw failures.timeout({ provider: 'simulated' });
        return inner.history(request);
      },
    };
    const source = proxySource({ provider, prices: priceStore(database), database, clock });
    const answers = await Promise.allSettled([source.current(), source.current(), source.current()]);
    expect(answers.map((answer) => answer.status === 'rejected' && answer.reason.code)).toEqual(
      Array.from({ length: 3 }, () => 'provider_timeout'),
    );
    expect(await database.sql('select 1 from prices union all select 1 from proxy_sets')).toEqual([]);
    broken = false;
    expect((await source.current()).version).toBe('2026-07-31');
    // Only the one that failed is asked for again.
    expect(inner.requests().histories).toEqual(Object.fromEntries(proxies.map((symbol) => [symbol, 1])));
  });

  test('are the same for two nodes that fetched at once: the first stored wins', async () => {
    const [one, other] = [node(), node()];
    const sets = await Promise.all([one.source.current(), other.source.current()]);
    expect(sets[0]).toEqual(sets[1]);
    const prices = priceStore(database);
    const set = sets[0]!;
    const changed = { ...set, closes: { ...set.closes, SPY: { dates: [], closes: [] } } };
    expect(await database.transaction((on) => prices.keepProxySet(changed, { on }))).toEqual(set);
  });
});
