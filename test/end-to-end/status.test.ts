import { beforeAll, expect, test } from 'vitest';
import type { SymbolStatusView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { parseFaults } from '../../src/market/simulated/faults.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

// What the original's clients read. The other fields are ours.
async function statusOf(service: TestService, symbol: string) {
  const { status: code, body } = await service.get<SymbolStatusView>(`/symbols/${symbol}/status`);
  const { symbol: named, status, message, estimated_seconds } = body;
  return { code, symbol: named, status, message, estimated_seconds };
}

describeOnEveryDatabase('the status of a symbol', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('has the fields of the original, from unknown over pending and processing to ready', async () => {
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const service = await startService(database, { provider, settings: { ONBOARDING_CONCURRENCY: '1' } });
    expect(await statusOf(service, 'NEXT')).toEqual({
      code: 200,
      symbol: 'NEXT',
      status: 'unknown',
      message: 'Symbol not found',
      estimated_seconds: null,
    });

    const fetching = provider.hold('FIRST');
    await service.upload(csvOf('FIRST'));
    await fetching.reached;
    const { body } = await service.upload<Uploaded>(csvOf('NEXT'));
    // Nothing was measured yet, and a guess would be a lie.
    expect(await statusOf(service, 'first')).toEqual({
      code: 200,
      symbol: 'FIRST',
      status: 'processing',
      message: 'Loading prices...',
      estimated_seconds: null,
    });
    expect(await statusOf(service, 'NEXT')).toEqual({
      code: 200,
      symbol: 'NEXT',
      status: 'pending',
      message: 'Queued for processing',
      estimated_seconds: null,
    });

    fetching.open();
    await service.settled(body.portfolio_id);
    for (const symbol of ['FIRST', 'NEXT']) {
      expect(await statusOf(service, symbol)).toEqual({
        code: 200,
        symbol,
        status: 'ready',
        message: 'Symbol data available',
        estimated_seconds: null,
      });
    }
  });

  test('is estimated from measured phases and the queue ahead once there are any', async () => {
    const before = await startService(database);
    await before.settled((await before.upload<Uploaded>(csvOf('MEASURED'))).body.portfolio_id);
    await before.app.close();
    // Ten seconds a phase: the next one takes fifty, whoever waits for it a hundred.
    await database.sql(
      `update onboarding_transitions set duration_ms = 10000 where from_state like '%.running'`,
    );
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const service = await startService(database, { provider, settings: { ONBOARDING_CONCURRENCY: '1' } });
    const fetching = provider.hold('AHEAD');
    const ahead = await service.upload<Uploaded>(csvOf('AHEAD'));
    await fetching.reached;
    const behind = await service.upload<Uploaded>(csvOf('BEHIND'));

    expect((await statusOf(service, 'AHEAD')).estimated_seconds).toBe(50);
    expect((await statusOf(service, 'BEHIND')).estimated_seconds).toBe(100);

    fetching.open();
    await service.settled(ahead.body.portfolio_id);
    await service.settled(behind.body.portfolio_id);
  });

  test('says how often an attempt was repeated, and in plain words why it ended', async () => {
    const market = simulatedProvider({ clock: systemClock, faults: parseFaults('TRIES=timeout') });
    const provider = gatedProvider(market);
    const service = await startService(database, { provider });
    const third = provider.hold('TRIES', { after: 2 });
    const { body } = await service.upload<Uploaded>(csvOf('TRIES'));
    await third.reached;
    expect(await statusOf(service, 'TRIES')).toMatchObject({
      status: 'processing',
      message: 'Loading prices (attempt 3 of 4)',
    });

    third.open();
    await service.settled(body.portfolio_id);
    const { message, ...ended } = await statusOf(service, 'TRIES');
    expect(ended).toEqual({ code: 200, symbol: 'TRIES', status: 'error', estimated_seconds: null });
    expect(message).toMatch(/did not answer in time/);
    expect(message).not.toMatch(/Error|undefined|null|\bat .*\.ts|select /);
  });

  test('of what nobody asked for is unknown, whatever was written, and asks the provider nothing', async () => {
    const service = await startService(database);
    for (const path of ['NOPE', 'a%20b', '%C3%9F', 'A..B', '%00', 'X%27;--', '%2e%2e']) {
      const { status, body } = await service.get<SymbolStatusView>(`/symbols/${path}/status`);
      if (path === '%2e%2e')
        expect(status).toBe(404); // the client's own URL parser takes it for a parent folder
      else expect({ status, body }).toMatchObject({ status: 200, body: { status: 'unknown', job_id: null } });
    }
    expect(service.app.provider.requests()).toMatchObject({ lookup: 0, history: 0 });
  });
});
