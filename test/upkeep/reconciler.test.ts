import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { reconcilerStore } from '../../src/onboarding/upkeep/reconciler.store.ts';
import { laggingStore } from '../../src/portfolio/lagging-snapshots.store.ts';
import { snapshotStore } from '../../src/portfolio/snapshot.store.ts';
import { type FindingKind, reconcilerOf } from '../../src/upkeep/reconciler.ts';
import {
  emptyTables,
  holesIn,
  jobRow,
  journalOf,
  queueStates,
  startNode,
  type TestNode,
} from '../onboarding/fixture.ts';
import { enter, lotOf, save } from '../portfolio/holdings.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';

describeOnEveryDatabase('the reconciler', (makeDatabase) => {
  let database: Database;
  let node: TestNode;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  beforeEach(async () => {
    node = await startNode(database);
    await emptyTables(database);
  });

  function started() {
    const found: [FindingKind, number][] = [];
    const held: { claim: { jobId: string; epoch: number } }[] = [];
    const snapshots = snapshotStore(database, { feedChannel: 'test' });
    const clock = new TestClock('2026-03-02T22:00:00Z');
    const reconciler = reconcilerOf({
      database,
      reconciler: reconcilerStore(database, { queue: node.queue, node: 'node-1' }),
      lagging: laggingStore(database, snapshots),
      clock,
      held: () => held,
      onFound: (kind, count) => found.push([kind, count]),
      log: () => {},
    });
    const { signal } = new AbortController();
    return {
      found,
      held,
      clock,
      queue: reconciler.queue,
      portfolios: () => reconciler.portfolios(2, signal),
    };
  }
  const entryOf = async (symbol: string) => (await jobRow(database, symbol)).queue_entry;

  test('finds nothing in what the service leaves behind at any step', async () => {
    const { queue, found, held } = started();
    await node.admit(['A', 'B']);
    await queue();
    const [taken] = await node.jobs.claim(1);
    held.push(taken!);
    await queue();
    await node.walk(taken!, 'processing.fetch.running', 'failed');
    held.pop();
    for (let round = 0; round < 3; round += 1) await queue();
    expect(found).toEqual([]);
  });

  test('gives a job whose entry is gone another one, by which it is claimed', async () => {
    const { queue, found } = started();
    await node.admit(['LOST', 'KEPT']);
    const kept = await entryOf('KEPT');
    await database.sql(`delete from pgboss.job where singleton_key = 'LOST'`);
    await queue();
    await queue();
    expect(found).toEqual([['lost_job', 1]]);
    expect(await entryOf('KEPT')).toBe(kept);
    const claimed = await node.jobs.claim(10);
    expect(claimed.map(({ claim }) => claim.symbol).sort()).toEqual(['KEPT', 'LOST']);
    expect(holesIn(await journalOf(database))).toEqual([]);
  });

  test('resumes a running job whose entry was deleted, and fences out its former holder', async () => {
    const { queue, found } = started();
    await node.admit(['TAKEN']);
    const [taken] = await node.jobs.claim(1);
    await node.walk(taken!, 'processing.fetch.running');
    await database.sql('delete from pgboss.job');
    await queue();
    expect(found).toEqual([['lost_job', 1]]);
    const [again] = await node.jobs.claim(1);
    expect(again).toMatchObject({ claim: { epoch: 2 }, progress: { phase: 'fetch', resumes: 1 } });
    await expect(node.walk(taken!, 'processing.factors.running')).rejects.toMatchObject({
      code: 'claim_lost',
    });
  });

  test('removes an entry that leads to no job, and the symbol can be onboarded again', async () => {
    const { queue, found } = started();
    await node.admit(['GONE', 'ENDED']);
    await database.sql(`delete from onboarding_jobs where symbol = 'GONE'`);
    await database.sql(
      `update onboarding_jobs set status = 'failed', state = 'failed', queue_entry = null where symbol = 'ENDED'`,
    );
    await queue();
    expect(found).toEqual([['idle_entry', 2]]);
    expect(await queueStates(database)).toEqual({ GONE: 'cancelled', ENDED: 'cancelled' });
    expect(await node.admit(['GONE', 'ENDED'])).toMatchObject({ kind: 'admitted' });
    await queue();
    expect(found).toHaveLength(1);
  });

  test('lets go of a claim that nothing works on, when it is still so at the next look', async () => {
    const { queue, found, held } = started();
    await node.admit(['HELD', 'STRANDED']);
    const claims = await node.jobs.claim(2);
    for (const taken of claims) await node.walk(taken, 'processing.fetch.running');
    held.push(claims.find(({ claim }) => claim.symbol === 'HELD')!);
    await queue();
    expect(found).toEqual([]); // it may just be on its way
    await queue();
    expect(found).toEqual([['stranded_claim', 1]]);
    expect(await queueStates(database)).toEqual({ HELD: 'active', STRANDED: 'retry' });
    // Counted as a takeover: a job that is stranded again and again comes to its end.
    expect(await node.jobs.claim(1)).toMatchObject([
      { claim: { symbol: 'STRANDED' }, progress: { resumes: 1 } },
    ]);
  });

  const totals = async (id: string) => {
    const [row] = await database.sql<{ value: string; n: number }>(
      `select total_value as value, position_count as n from portfolio_snapshots where portfolio_id = $1
       order by snapshot_date desc limit 1`,
      [id],
    );
    return row ?? null;
  };

  test('recomputes portfolios that lack a ready symbol, or have it in their lots and not in their totals', async () => {
    const { portfolios, found, clock } = started();
    const known = { currency: 'USD', close: '20', date: '2026-02-27', isPending: false };
    await enter(database, [
      { symbol: 'READY', ...known },
      { symbol: 'FAILED', ...known },
      { symbol: 'COMING', ...known, isPending: true },
    ]);
    await database.sql('update symbol_universe set ready_at = now()');
    await node.admit(['FAILED']);
    await database.sql(
      `update onboarding_jobs set status = 'failed', state = 'failed', queue_entry = null where symbol = 'FAILED'`,
    );
    await database.sql(`delete from pgboss.job where singleton_key = 'FAILED'`);
    const lacking = await save(database, 'USD', [lotOf({ symbol: 'READY' }), lotOf({ symbol: 'COMING' })]);
    const waiting = await save(database, 'USD', [lotOf({ symbol: 'COMING' }), lotOf({ symbol: 'FAILED' })]);
    const lost = await save(database, 'USD', [lotOf({ symbol: 'READY' })]);
    const round = async () => {
      const done = portfolios();
      await clock.sleeping(); // two of three are a batch
      await clock.advanceToNext();
      await done;
    };
    await round();
    expect(found).toEqual([['lagging_portfolio', 2]]);
    expect([await totals(lacking), await totals(lost)]).toMatchObject([
      { value: '400.00' },
      { value: '200.00' },
    ]);
    expect(await totals(waiting)).toBeNull();
    await database.sql('delete from portfolio_snapshots where portfolio_id = $1', [lost]);
    await round();
    await round();
    expect(found).toEqual([
      ['lagging_portfolio', 2],
      ['lagging_portfolio', 1],
    ]);
    expect(await totals(lost)).toMatchObject({ value: '200.00', n: 1 });
  });

  test('leaves a portfolio alone whose last price has lost its currency: there is nothing to repair', async () => {
    const { portfolios, found } = started();
    await enter(database, [
      { symbol: 'VOD.L', currency: 'USD', close: '72', date: '2026-03-02', isPending: false },
    ]);
    await database.sql('update symbol_universe set ready_at = now()');
    await save(database, 'USD', [lotOf({ symbol: 'VOD.L' })]);
    await portfolios();
    expect(found).toEqual([['lagging_portfolio', 1]]);
    await database.sql('update symbol_universe set currency = null, price_version = 2, last_price = 73');
    await portfolios();
    await portfolios();
    expect(found).toEqual([
      ['lagging_portfolio', 1],
      ['lagging_portfolio', 1],
    ]);
  });
});
