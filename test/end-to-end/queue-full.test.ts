import { beforeAll, expect, test } from 'vitest';
import type { Problem } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { countRows } from '../support/rows.ts';
import { csvOf, startService, type Uploaded } from '../support/service.ts';

describeOnEveryDatabase('a queue with room for two', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  const start = async (depth = '2') => {
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const settings = { ONBOARDING_QUEUE_DEPTH: depth, SHUTDOWN_GRACE_MS: '0' };
    return { provider, ...(await startService(database, { provider, settings })) };
  };
  const cash =
    'Symbol,Quantity,Entry Price Per Share,Entry Date,Investment Class\nUSD,1000,1,2025-01-02,CASH';

  test('refuses an upload for which there is no room now: 503, nothing saved, none of its symbols queued', async () => {
    const service = await start();
    const first = service.provider.hold('HELD');
    const held = await service.upload<Uploaded>(csvOf('HELD'));
    await first.reached;
    const before = await countRows(database);

    const refused = await service.upload<Problem>(csvOf('HELD', 'NEXT', 'LAST'));

    expect(refused).toMatchObject({
      status: 503,
      body: { code: 'queue_full', depth: 1, limit: 2, needed: 2 },
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.body.retry_after_seconds).toBe(Number(refused.headers.get('retry-after')));
    expect(await countRows(database)).toEqual(before);
    await service.post('/onboarding/pause');
    const meanwhile = await service.upload<Problem>(csvOf('NEXT', 'LAST'));
    expect(meanwhile).toMatchObject({ status: 503, body: { retry_after_seconds: 300 } });
    await service.post('/onboarding/resume');
    for (const symbol of ['NEXT', 'LAST']) {
      expect((await service.get(`/symbols/${symbol}/status`)).body).toMatchObject({ status: 'unknown' });
      expect(service.app.provider.requests().histories[symbol]).toBeUndefined();
    }

    first.open();
    await service.settled(held.body.portfolio_id);
    const again = await service.upload<Uploaded>(csvOf('HELD', 'NEXT', 'LAST'));
    expect(again).toMatchObject({ status: 202, body: { pending_symbols: ['LAST', 'NEXT'] } });
    expect(await service.settled(again.body.portfolio_id)).toMatchObject({ status: 'ready' });
  });

  test('tells an upload that could never fit so: 422 with the limit, and the provider is not asked', async () => {
    const service = await start();
    const before = await countRows(database);

    const refused = await service.upload<Problem>(csvOf('HUGE1', 'HUGE2', 'HUGE3'));

    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'too_many_symbols', needed: 3, limit: 2, detail: expect.stringContaining('2') },
    });
    expect(refused.headers.get('retry-after')).toBeNull();
    expect(await countRows(database)).toEqual(before);
    expect(service.app.provider.requests()).toMatchObject({ lookup: 0, history: 0 });
  });

  test('takes whoever needs nothing new, however full it is', async () => {
    const service = await start();
    const [one, two] = [service.provider.hold('FULL1'), service.provider.hold('FULL2')];
    await service.upload(csvOf('FULL1', 'FULL2'));
    await Promise.all([one.reached, two.reached]);

    const joining = await service.upload<Uploaded>(csvOf('FULL2', 'FULL1'));
    expect(joining).toMatchObject({ status: 202, body: { pending_symbols: ['FULL1', 'FULL2'] } });
    const rich = await service.upload<Uploaded>(cash);
    expect(rich).toMatchObject({ status: 201, body: { status: 'ready', pending_symbols: [] } });

    one.open();
    two.open();
    expect(await service.settled(joining.body.portfolio_id)).toMatchObject({
      status: 'ready',
      snapshot: { position_count: 2 },
    });
    const { counts } = (await service.get<{ counts: Record<string, number> }>('/onboarding')).body;
    expect(counts).toMatchObject({ pending: 0, processing: 0 });
  });

  test('admits exactly as many as fit when several uploads race for the room', async () => {
    const service = await start();
    const symbols = ['RACE1', 'RACE2', 'RACE3', 'RACE4', 'RACE5'];
    const gates = symbols.map((symbol) => service.provider.hold(symbol));

    const answers = await Promise.all(symbols.map((symbol) => service.upload<Uploaded>(csvOf(symbol))));

    expect(answers.map(({ status }) => status).sort()).toEqual([202, 202, 503, 503, 503]);
    const [row] = await database.sql<{ n: number }>(
      `select count(*)::int as n from onboarding_jobs where symbol like 'RACE%'`,
    );
    expect(row!.n).toBe(2);
    for (const gate of gates) gate.open();
    for (const { status, body } of answers) {
      if (status === 202) expect(await service.settled(body.portfolio_id)).toMatchObject({ status: 'ready' });
    }
  });

  test('lets an upload join what is under way although the limit was lowered meanwhile', async () => {
    const roomy = await start('3');
    const gates = ['LOW1', 'LOW2', 'LOW3'].map((symbol) => roomy.provider.hold(symbol));
    const first = await roomy.upload<Uploaded>(csvOf('LOW1', 'LOW2', 'LOW3'));
    await Promise.all(gates.map(({ reached }) => reached));
    await roomy.app.close();

    const service = await start('1');
    const again = ['LOW1', 'LOW2', 'LOW3'].map((symbol) => service.provider.hold(symbol));
    const joining = await service.upload<Uploaded>(csvOf('LOW3', 'LOW1'));
    expect(joining).toMatchObject({ status: 202, body: { pending_symbols: ['LOW1', 'LOW3'] } });

    for (const gate of again) gate.open();
    expect(await service.settled(joining.body.portfolio_id)).toMatchObject({ status: 'ready' });
    expect(await service.settled(first.body.portfolio_id)).toMatchObject({ status: 'ready' });
  });
});
