import { beforeAll, expect, test } from 'vitest';
import type { LotView, SnapshotView, SymbolStatusView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import type { MarketDataProvider } from '../../src/market/provider.ts';
import { withFallback } from '../../src/market/provider-fallback.ts';
import { parseFaults } from '../../src/market/simulated/faults.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const dayMs = 86_400_000;

/** A clock that is some days behind: what it onboards is stale to everybody whose clock is right. */
const daysAgo = (days: number): Clock => {
  const behindMs = days * dayMs;
  return {
    now: () => systemClock.now() - behindMs,
    sleepUntil: (until, signal) => systemClock.sleepUntil(until + behindMs, signal),
  };
};

const statusOf = async (service: TestService, symbol: string) =>
  (await service.get<SymbolStatusView>(`/symbols/${symbol}/status`)).body;

describeOnEveryDatabase('a symbol whose prices have grown old', (makeDatabase) => {
  let database: Database;
  let seventeenDaysAgo: string; // a portfolio of OLD, BROKE and CROWD
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('is first of all an ordinary one', async () => {
    const service = await startService(database, { clock: daysAgo(17) });
    const { body } = await service.upload<Uploaded>(csvOf('OLD', 'BROKE', 'CROWD'));
    seventeenDaysAgo = body.portfolio_id;
    expect(await service.settled(body.portfolio_id)).toMatchObject({
      status: 'ready',
      snapshot: { position_count: 3 },
    });
  });

  test('stays ready while it is refreshed, and its lots keep the stored close until they get the new one', async () => {
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const service = await startService(database, { provider });
    const before = await service.portfolio(seventeenDaysAgo);
    const fetching = provider.hold('OLD');

    const { status, body } = await service.upload<Uploaded>(csvOf('OLD'));
    await fetching.reached;

    expect({ status, pending: body.pending_symbols }).toEqual({ status: 202, pending: ['OLD'] });
    expect(await statusOf(service, 'OLD')).toMatchObject({
      status: 'ready',
      message: 'Symbol data available; an update is under way',
    });
    const meanwhile = await service.portfolio(body.portfolio_id);
    expect(meanwhile).toMatchObject({ status: 'pending', snapshot: { position_count: 1, pending_count: 1 } });
    const lots = async () =>
      (await service.get<{ positions: LotView[] }>(`/portfolios/${body.portfolio_id}/positions`)).body
        .positions;
    const [stale] = await lots();
    expect(stale).toMatchObject({ disposition: 'priced', price_date: before.snapshot!.snapshot_date });
    expect(stale!.stale_sessions).toBeGreaterThan(3);

    fetching.open();
    const after = await service.settled(body.portfolio_id);
    const [fresh] = await lots();
    expect(fresh).toMatchObject({ disposition: 'priced', stale_sessions: 0 });
    expect(fresh!.last_close).not.toBe(stale!.last_close);
    expect(after).toMatchObject({ status: 'ready', snapshot: { position_count: 1, pending_count: 0 } });
    expect(after.snapshot!.snapshot_date > meanwhile.snapshot!.snapshot_date).toBe(true);
    await expectMovedForward(service, before.snapshot!, after.snapshot!.snapshot_date);
    const told = service.transitions.filter(({ symbol }) => symbol === 'OLD').map(({ to }) => to);
    expect(told.at(-1)).toBe('completed');
  });

  // The portfolio that was there before is repriced too: a row of the new date, the old one as it was.
  async function expectMovedForward(service: TestService, old: SnapshotView, date: string): Promise<void> {
    const { snapshots } = (
      await service.get<{ snapshots: SnapshotView[] }>(`/portfolios/${seventeenDaysAgo}/snapshots`)
    ).body;
    expect(snapshots).toHaveLength(2);
    expect(snapshots[0]).toMatchObject({ snapshot_date: date, position_count: 3 });
    expect(snapshots[0]!.total_value).not.toBe(old.total_value);
    expect(snapshots[1]).toEqual({ ...old, pending_count: expect.any(Number) }); // a fact of that day
  }

  test('stays ready and priced where the refresh fails', async () => {
    const provider = simulatedProvider({ clock: systemClock, faults: parseFaults('BROKE=empty') });
    const service = await startService(database, { provider });
    const { body } = await service.upload<Uploaded>(csvOf('BROKE'));
    expect(await service.settled(body.portfolio_id)).toMatchObject({
      status: 'ready',
      snapshot: { position_count: 1, pending_count: 0, is_complete: true },
    });
    expect(await service.job('BROKE')).toMatchObject({ status: 'failed', reason: 'refresh' });
    expect(await statusOf(service, 'BROKE')).toMatchObject({
      status: 'ready',
      message: 'Symbol data available; the last update failed',
    });
  });

  test('keeps its currency where the next provider tells none, which would price no lot', async () => {
    const first = await startService(database, { clock: daysAgo(17) });
    await first.settled((await first.upload<Uploaded>(csvOf('RESERVE'))).body.portfolio_id);
    await first.app.close();

    const failing = simulatedProvider({ clock: systemClock, faults: parseFaults('RESERVE=empty') });
    const whole = simulatedProvider({ clock: systemClock });
    const silent: MarketDataProvider = {
      ...whole,
      async history(request) {
        const history = await whole.history(request);
        return { ...history, instrument: { ...history.instrument, currency: null } };
      },
    };
    const provider = withFallback([failing, silent], { clock: systemClock });
    const service = await startService(database, { provider });
    const { body } = await service.upload<Uploaded>(csvOf('RESERVE'));
    expect(await service.settled(body.portfolio_id)).toMatchObject({
      status: 'ready',
      snapshot: { position_count: 1, missing_fx_count: 0, is_complete: true },
    });
    expect((await service.job('RESERVE')).error).toMatchObject({ code: 'unusable_data' });
  });

  test('waits for another day where the queue is full, and never turns an upload away', async () => {
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const service = await startService(database, { provider, settings: { ONBOARDING_QUEUE_DEPTH: '1' } });
    const fetching = provider.hold('FILLER');
    const filler = await service.upload<Uploaded>(csvOf('FILLER'));
    await fetching.reached;

    const { status, body } = await service.upload<Uploaded>(csvOf('CROWD'));

    expect({ status, body }).toMatchObject({ status: 201, body: { status: 'ready', pending_symbols: [] } });
    expect(await service.portfolio(body.portfolio_id)).toMatchObject({
      status: 'ready',
      snapshot: { position_count: 1, pending_count: 0 },
    });
    expect(service.app.provider.requests().histories.CROWD).toBeUndefined();
    fetching.open();
    await service.settled(filler.body.portfolio_id);
    // The next one who needs it finds room.
    const later = await service.upload<Uploaded>(csvOf('CROWD'));
    expect(later).toMatchObject({ status: 202, body: { pending_symbols: ['CROWD'] } });
    await service.settled(later.body.portfolio_id);
  });
});
