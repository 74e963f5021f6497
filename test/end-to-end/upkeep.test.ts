import { expect, test } from 'vitest';
import type { OverviewView, SnapshotView, SymbolStatusView } from '../../src/contract/schemas.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { failures } from '../../src/market/provider-failures.ts';
import { parseFaults } from '../../src/market/simulated/faults.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const dayMs = 86_400_000;

/** A clock that is some days behind: what it onboards lacks sessions to everybody whose clock is right. */
const daysAgo = (days: number): Clock => ({
  now: () => systemClock.now() - days * dayMs,
  sleepUntil: (until, signal) => systemClock.sleepUntil(until + days * dayMs, signal),
});

const overview = async (service: TestService) => (await service.get<OverviewView>('/onboarding')).body;
const statusOf = async (service: TestService, symbol: string) =>
  (await service.get<SymbolStatusView>(`/symbols/${symbol}/status`)).body;

describeOnEveryDatabase('a universe that has grown old', (makeDatabase) => {
  test('is refreshed by itself, one by one where there is little room, and portfolios roll forward', async () => {
    const database = await makeDatabase();
    const early = await startService(database, { clock: daysAgo(17) });
    const { body } = await early.upload<Uploaded>(csvOf('AAPL', 'MSFT', 'SAP.DE', 'DEAD'));
    const before = (await early.settled(body.portfolio_id)).snapshot!;
    expect(before).toMatchObject({ position_count: 4, missing_fx_count: 0 });
    await early.app.close();

    const idle = await startService(database);
    expect((await overview(idle)).refresh).toEqual({ enabled: false, due: 5, unfinished: 0 });
    await idle.app.close();

    const inner = simulatedProvider({ clock: systemClock });
    const last = { lastClose: '17.5', lastDate: '2026-09-01', currency: 'USD' };
    const provider: typeof inner = {
      ...inner,
      history: async (request) => {
        if (request.symbol === 'DEAD') throw failures.delisted({ symbol: 'DEAD', ...last });
        return inner.history(request);
      },
    };
    const settings = { REFRESH: 'on', ONBOARDING_QUEUE_DEPTH: '2' };
    const service = await startService(database, { provider, settings });
    for (const symbol of ['AAPL', 'MSFT', 'SAP.DE', 'EURUSD=X'])
      await service.transition((one) => one.symbol === symbol && one.to === 'completed');
    await service.transition((one) => one.symbol === 'DEAD' && one.to === 'failed');
    expect((await overview(service)).refresh).toEqual({ enabled: true, due: 0, unfinished: 0 });
    for (const symbol of ['AAPL', 'MSFT', 'SAP.DE', 'EURUSD=X'])
      expect(await service.job(symbol)).toMatchObject({ reason: 'refresh', status: 'completed' });
    const { snapshots } = (
      await service.get<{ snapshots: SnapshotView[] }>(`/portfolios/${body.portfolio_id}/snapshots`)
    ).body;
    expect(snapshots[0]).toMatchObject({ position_count: 4, missing_fx_count: 0, is_complete: true });
    expect(snapshots[0]!.snapshot_date > before.snapshot_date).toBe(true);
    const row = snapshots.find(({ snapshot_date }) => snapshot_date === before.snapshot_date);
    expect(row).toMatchObject({ total_value: before.total_value });

    // What is no longer traded says so, and its lot keeps the close that was known, marked.
    expect(await statusOf(service, 'DEAD')).toMatchObject({
      status: 'ready',
      message: expect.stringContaining('DEAD is no longer traded: its last close was 17.5 USD on 2026-09-01'),
    });
    const { positions } = (
      await service.get<{ positions: { symbol: string; stale_sessions: number; disposition: string }[] }>(
        `/portfolios/${body.portfolio_id}/positions`,
      )
    ).body;
    const dead = positions.find(({ symbol }) => symbol === 'DEAD')!;
    expect(dead).toMatchObject({ disposition: 'priced', price_date: before.oldest_price_date });
    expect(dead.stale_sessions).toBeGreaterThan(8);
  });
});

describeOnEveryDatabase('an outage of the proxies', (makeDatabase) => {
  test('leaves placeholders that are measured by themselves once it is over', async () => {
    const database = await makeDatabase();
    const faults = parseFaults('TLT=500');
    const broken = await startService(database, {
      provider: simulatedProvider({ clock: systemClock, faults }),
      settings: { RETRY_LIMIT: '0' },
    });
    const { body } = await broken.upload<Uploaded>(csvOf('AAPL'));
    await broken.settled(body.portfolio_id);
    expect(await statusOf(broken, 'AAPL')).toMatchObject({ status: 'ready', quality: 'default' });
    await broken.app.close();

    const service = await startService(database);
    await service.transition(({ symbol, to }) => symbol === 'AAPL' && to === 'completed');
    expect(await statusOf(service, 'AAPL')).toMatchObject({ status: 'ready', quality: 'full_history' });
    expect(await service.job('AAPL')).toMatchObject({ outcome: 'complete', reason: 'upload' });
    expect(service.app.provider.requests().histories.AAPL, 'its prices were there').toBeUndefined();
  });
});
