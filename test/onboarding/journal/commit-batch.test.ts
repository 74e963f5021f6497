import { beforeAll, expect, test } from 'vitest';
import type { FeedEntry } from '../../../src/contract/feed.ts';
import type { Database } from '../../../src/database/database.orm.ts';
import { defaultExposures } from '../../../src/factors/compute-exposures.ts';
import { exposureStore } from '../../../src/factors/exposure.store.ts';
import { priceStore } from '../../../src/market/price.store.ts';
import { feedReader } from '../../../src/onboarding/feed/feed-states.ts';
import { journalFeed } from '../../../src/onboarding/feed/journal-feed.query.ts';
import { publishCommits } from '../../../src/onboarding/feed/publish-commits.feed.ts';
import type { Effect, Entry, TakenClaim } from '../../../src/onboarding/job/ports.ts';
import { jobTrace } from '../../../src/onboarding/job/transition-trace.ts';
import { createLedger } from '../../../src/onboarding/journal/commit-batch.ts';
import { phaseWrites } from '../../../src/onboarding/journal/phase-writes.ts';
import { snapshotStore } from '../../../src/portfolio/snapshot.store.ts';
import { snapshotFeed } from '../../../src/portfolio/snapshot-feed.query.ts';
import { attribution } from '../../../src/trace-context.ts';
import { universeStore } from '../../../src/universe/universe.store.ts';
import { enter, lotOf, save } from '../../portfolio/holdings.ts';
import { priced, session, storeOf } from '../../portfolio/snapshots.ts';
import { describeOnEveryDatabase } from '../../support/databases.ts';
import { sessionsBlocked } from '../../support/gates.ts';
import { emptyTables, holesIn, jobRow, journalOf, recordOf, startNode } from '../fixture.ts';

const date = '2026-07-30';
const bar = { date, open: null, high: null, low: null, close: '11', adjustedClose: 11, volume: null };

describeOnEveryDatabase('transitions and effects in one transaction', (makeDatabase, kind) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const start = async () => {
    const node = await startNode(database);
    await emptyTables(database);
    await database.sql('truncate prices, symbol_factor_exposures');
    await node.admit(['AAPL', 'LOST', 'MSFT']);
    const { fence, journal } = node;
    const offers: Promise<readonly FeedEntry[]>[] = [];
    const feed = {
      offer(commit: (typeof offers)[number]) {
        commit.catch(() => {});
        offers.push(commit);
      },
    };
    const effects = phaseWrites({
      database,
      fence,
      feed,
      prices: priceStore(database),
      exposures: exposureStore(database),
      universe: universeStore(database),
      snapshots: snapshotStore(database, { feedChannel: 'feed' }),
      snapshotBatch: 2,
      batching: { attribution },
    });
    const taken = await node.jobs.claim(3);
    await database.sql(`update onboarding_jobs set claim_epoch = claim_epoch + 1 where symbol = 'LOST'`);
    const [aapl, lost, msft] = taken.sort((a, b) => (a.claim.symbol < b.claim.symbol ? -1 : 1));
    const ledger = createLedger({ database, journal, effects, fence });
    const read = feedReader({ journal: journalFeed(database), snapshots: snapshotFeed(database) });
    const passing = publishCommits(ledger, { node: 'node-1', feed });
    const commit = async (entries: readonly Entry[]) => (await ledger.commit(entries)).progress;
    /** What the feed is offered of a commit, and what it would read. */
    const passOn = async (commit: () => Promise<unknown>) => {
      const { position } = await journalFeed(database).head();
      await commit();
      return { offered: await offers.pop()!, read: (await read(position)).entries };
    };
    const passCommit = (...entries: Entry[]) => passOn(() => passing.commit(entries));
    return { commit, passOn, passCommit, effects, aapl: aapl!, lost: lost!, msft: msft! };
  };

  const series = ({ symbol }: { symbol: string }): Effect => ({
    kind: 'series',
    provider: 'files',
    instrument: {
      ...{ symbol, name: null, type: 'EQUITY', currency: 'USD', exchange: null },
      ...{ timeZone: 'America/New_York', sessionEnd: '16:00' },
    },
    series: { symbol, bars: [bar], actions: [], actionsFrom: date },
  });
  const exposures = ({ symbol }: { symbol: string }): Effect => {
    const rows = defaultExposures({ reason: 'too_few_observations', windowEnd: date });
    return {
      kind: 'exposures',
      set: { symbol, calculationDate: date, proxyVersion: null, exposures: rows },
    };
  };
  const membership = ({ symbol }: { symbol: string }): Effect => {
    const entry = { symbol, quality: 'default', reason: null, calculationDate: date };
    return { kind: 'membership', entry };
  };
  /** A transition and what the phase before it leaves; the claim goes on from there. */
  const moved = (taken: TakenClaim, to: string, effect?: Effect): Entry => {
    const record = recordOf(taken, to, {
      job: { results: { bars: 1 } },
      ...(effect && { effect, notes: jobTrace() }),
    });
    Object.assign(taken, { sequence: record.sequence, state: to });
    return record;
  };
  const alone = ({ claim }: TakenClaim, effect: Effect): Entry => ({ claim, effect, notes: jobTrace() });
  const symbolsIn = async (table: string) =>
    (await database.sql<{ symbol: string }>(`select distinct symbol from ${table} order by symbol`)).map(
      ({ symbol }) => symbol,
    );

  test('an effect is stored if and only if its journal row is, and the row counts the writes', async () => {
    const { commit, aapl, lost, msft } = await start();
    const before = await journalOf(database);
    const batch = [aapl, lost, msft].map((one) =>
      moved(one, 'processing.factors.running', series(one.claim)),
    );
    await expect(commit(batch)).rejects.toMatchObject({ code: 'claim_lost' });
    expect([await symbolsIn('prices'), await symbolsIn('symbol_universe where type is not null')]).toEqual([
      [],
      [],
    ]);
    expect(await journalOf(database)).toEqual(before);
    await commit([batch[0]!, batch[2]!]);
    expect([await symbolsIn('prices'), await symbolsIn('symbol_universe where type is not null')]).toEqual([
      ['AAPL', 'MSFT'],
      ['AAPL', 'MSFT'],
    ]);
    expect(await jobRow(database, 'MSFT')).toMatchObject({
      state: 'processing.factors.running',
      results: { bars: 1 },
    });
    const noted = await database.sql(
      `select symbol, trace from onboarding_transitions where to_state = 'processing.factors.running' order by symbol`,
    );
    expect(noted).toEqual([
      { symbol: 'AAPL', trace: { writes: 2 } },
      { symbol: 'MSFT', trace: { writes: 2 } },
    ]);
    expect(holesIn(await journalOf(database))).toEqual([]);
  });

  test('effects of consecutive phases commit together, except those of a job being cancelled', async () => {
    const { commit, aapl, lost, msft } = await start();
    await commit([aapl, msft].map((one) => moved(one, 'processing.factors.running', series(one.claim))));
    await database.sql(`update onboarding_jobs set cancel_requested_at = now() where symbol = 'AAPL'`);
    const join = (one: TakenClaim) => [
      moved(one, 'processing.universe.running', exposures(one.claim)),
      alone(one, membership(one.claim)),
    ];
    const cancelled = join(aapl);
    await expect(commit(cancelled)).rejects.toMatchObject({ code: 'job_cancelled' });
    await expect(commit([alone(lost, membership(lost.claim))])).rejects.toMatchObject({ code: 'claim_lost' });
    await commit([cancelled[0]!, ...join(msft)]);
    expect(await symbolsIn('symbol_factor_exposures'), 'its exposures are its own affair').toEqual([
      'AAPL',
      'MSFT',
    ]);
    expect(await database.sql('select symbol, last_price from symbol_universe where is_active')).toEqual([
      { symbol: 'MSFT', last_price: '11' },
    ]);
    expect((await jobRow(database, 'AAPL')).universe_committed_at).toBeNull();
    expect((await jobRow(database, 'MSFT')).universe_committed_at).not.toBeNull();
  });

  test('update a portfolio once for all its symbols in a batch, until no portfolio is due', async () => {
    const { commit, effects, aapl, lost, msft } = await start();
    await enter(database, [priced('AAPL', '120'), priced('LOST', '5'), priced('MSFT', '30')]);
    const both = await save(database, 'USD', [lotOf(), lotOf({ symbol: 'MSFT' })]);
    for (const symbol of ['AAPL', 'AAPL', 'LOST', 'MSFT']) await save(database, 'USD', [lotOf({ symbol })]);
    const effect = { kind: 'snapshots', session } as const;
    const round = (one: TakenClaim) => alone(one, effect);
    const more = ({ claim }: TakenClaim) => effects.updateMoreSnapshots({ claim, effect });
    await expect(commit([round(aapl), round(lost), round(msft)])).rejects.toMatchObject({
      code: 'claim_lost',
    });
    expect(await database.sql('select 1 from portfolio_snapshots')).toEqual([]);
    const begins = moved(aapl, 'processing.snapshot.running');
    expect(await commit([begins, round(aapl)])).toMatchObject([
      undefined,
      { portfolios: 2, isLast: false, lacking: [] },
    ]);
    expect(await more(aapl)).toMatchObject({ portfolios: 1, isLast: true });
    await expect(more(lost)).rejects.toMatchObject({ code: 'claim_lost' });
    const ends = moved(aapl, 'completed');
    expect(await commit([ends, round(msft)]), 'a symbol becomes ready beside it').toMatchObject([
      undefined,
      { portfolios: 1, isLast: true },
    ]);
    const written = await database.sql<{ portfolio_id: string; total_value: string; position_count: number }>(
      'select portfolio_id, total_value, position_count from portfolio_snapshots order by total_value',
    );
    expect(written.map((row) => row.total_value)).toEqual(['300.00', '1200.00', '1200.00', '1500.00']);
    expect(written.at(-1)).toMatchObject({ portfolio_id: both, position_count: 2 });
    const places = await database.sql<{ position: number }>(
      `select position::int from onboarding_transitions union all
       select feed_position::int from portfolio_snapshots order by 1`,
    );
    expect(new Set(places.map(({ position }) => position)).size, 'each its own place in the feed').toBe(
      places.length,
    );
  });

  test('reach the feed exactly as it would read them, including the totals before and after', async () => {
    const { passOn, passCommit, effects, aapl, msft } = await start();
    await enter(database, [priced('AAPL', '120.005'), priced('MSFT', '30')]);
    for (let n = 0; n < 3; n += 1) await save(database, 'USD', [lotOf(), lotOf({ symbol: 'MSFT' })]);
    const effect = { kind: 'snapshots', session } as const;
    const first = await passCommit(
      moved(msft, 'processing.fetch.running'),
      moved(aapl, 'processing.snapshot.running'),
      alone(aapl, effect),
    );
    expect(first.read.map(({ type }) => type)).toEqual([
      ...['transition', 'transition', 'snapshot.updated', 'snapshot.updated'],
    ]);
    expect(first.offered).toStrictEqual(first.read);
    await storeOf(database).price('AAPL', '121', '2026-07-31');
    const again = await passCommit(alone(aapl, effect));
    expect(again.read).toMatchObject([{ before: { total_value: '1500.05' }, after: {} }, {}]);
    expect(again.offered).toStrictEqual(again.read);
    const more = await passOn(() => effects.updateMoreSnapshots({ claim: aapl.claim, effect }));
    expect(more.read).toMatchObject([{ type: 'snapshot.updated' }]);
    expect(more.offered).toStrictEqual(more.read);
  });

  // PGlite has one connection: nothing runs beside the transaction that waits.
  if (kind === 'postgres')
    test('keep nobody from the feed while they wait for a job row', async () => {
      const { commit, aapl, msft } = await start();
      const locked = Promise.withResolvers<void>();
      const waited = Promise.withResolvers<void>();
      const takeover = database.transaction(async (on) => {
        await database.sql(
          `update onboarding_jobs set claim_epoch = claim_epoch + 1 where symbol = 'AAPL'`,
          [],
          { on },
        );
        locked.resolve();
        await waited.promise;
        await database.sql('select 1 from feed_head for update nowait', [], { on });
      });
      await locked.promise;
      const writing = commit([
        moved(msft, 'processing.fetch.running'),
        alone(aapl, { kind: 'snapshots', session }),
      ]);
      const refused = expect(writing).rejects.toMatchObject({ code: 'claim_lost' });
      await sessionsBlocked(database);
      waited.resolve();
      await takeover;
      await refused;
    });
});
