import { beforeAll, expect, test } from 'vitest';
import type { SymbolStatusView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { gatedDatabase, gatedProvider, type StatementMatch, sessionsBlocked } from '../support/gates.ts';
import { csvOf, startService, type Uploaded } from '../support/service.ts';

// The places at which the two transactions that must not miss each other are held, each with its locks taken.

/** An upload has reserved its symbols, saved its lots and priced what it could. */
const beforeAdmission: StatementMatch = (text) => text.includes('pg_advisory_xact_lock');
/** The universe phase has made the symbol active, and nobody sees it yet. */
const beforeUniverseCommits: StatementMatch = (text, parameters) =>
  text.includes('universe_committed_at = case') && (parameters[6] as string[]).length > 0;
/** The snapshot phase has found no portfolio due, and its job has not completed. */
const beforeReady: StatementMatch = (text) => text.includes('set ready_at = coalesce(');
const beforeSymbolIsActive =
  (symbol: string): StatementMatch =>
  (text, [first]) =>
    text.includes('is_active = true') && String(first).includes(`"symbol":"${symbol}"`);

// Only PostgreSQL has two connections: embedded, such transactions follow one another anyway.
describeOnDatabase('postgres', 'a portfolio uploaded at the moment its symbol completes', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  const start = async () => {
    const gates = gatedDatabase(database);
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const service = await startService(gates, { provider });
    const upload = (...symbols: string[]) => service.upload<Uploaded>(csvOf(...symbols));
    return { ...service, upload, holdBefore: gates.holdBefore, provider };
  };

  async function expectPriced(service: Awaited<ReturnType<typeof start>>, id: string, symbol: string) {
    const portfolio = await service.settled(id);
    const { body } = await service.get<{ last_price: string }>(`/symbols/${symbol}`);
    expect(portfolio).toMatchObject({
      status: 'ready',
      symbols: [{ symbol, status: 'ready' }],
      snapshot: {
        total_value: (Number(body.last_price) * 10).toFixed(2),
        position_count: 1,
        pending_count: 0,
        is_complete: true,
      },
    });
  }

  test('is seen by the snapshot phase where the upload came first', async () => {
    const service = await start();
    const activation = service.holdBefore(beforeSymbolIsActive('UPLOAD1'));
    const first = await service.upload('UPLOAD1');
    await activation.reached;

    const admission = service.holdBefore(beforeAdmission);
    const second = service.upload('UPLOAD1');
    await admission.reached;
    activation.open();
    await sessionsBlocked(database); // the universe phase waits for the upload, and its transition with it
    const { body } = await service.get<SymbolStatusView>('/symbols/UPLOAD1/status');
    expect(body).toMatchObject({ status: 'processing', phase: 'factors' });
    admission.open();

    expect(await second).toMatchObject({ status: 202, body: { pending_symbols: ['UPLOAD1'] } });
    for (const { body } of [first, await second]) await expectPriced(service, body.portfolio_id, 'UPLOAD1');
    expect(service.app.provider.requests().histories.UPLOAD1).toBe(1);
  });

  test('sees the symbol itself where the universe phase came first', async () => {
    const service = await start();
    const universe = service.holdBefore(beforeUniverseCommits);
    const first = await service.upload('UPLOAD2');
    await universe.reached;

    const snapshot = service.holdBefore(
      (text, [symbols]) => text.includes('for no key update') && String(symbols) === 'UPLOAD2',
    );
    const second = service.upload('UPLOAD2');
    await sessionsBlocked(database); // the upload waits for the universe phase
    universe.open();
    const { status, body } = await second;
    await snapshot.reached;

    // Valued before the snapshot phase has looked at anything, and not called ready before the job is.
    expect({ status, body }).toMatchObject({ status: 202, body: { pending_symbols: ['UPLOAD2'] } });
    expect(await service.portfolio(body.portfolio_id)).toMatchObject({
      status: 'pending',
      symbols: [{ status: 'processing' }],
      snapshot: { position_count: 1 },
    });
    expect(await service.portfolio(first.body.portfolio_id)).toMatchObject({ snapshot: null });
    snapshot.open();
    await expectPriced(service, first.body.portfolio_id, 'UPLOAD2');
    await expectPriced(service, body.portfolio_id, 'UPLOAD2');
    expect(service.app.provider.requests().histories.UPLOAD2).toBe(1);
  });

  test('is priced by itself where the snapshot phase has just looked for the last time', async () => {
    const service = await start();
    const completion = service.holdBefore(beforeReady);
    const first = await service.upload('UPLOAD3');
    await completion.reached;

    const late = await service.upload('UPLOAD3');
    expect(late).toMatchObject({ status: 202, body: { pending_symbols: ['UPLOAD3'] } });
    expect((await service.portfolio(late.body.portfolio_id)).snapshot).toMatchObject({ position_count: 1 });
    completion.open();

    for (const { body } of [first, late]) await expectPriced(service, body.portfolio_id, 'UPLOAD3');
    expect(
      (await service.get<{ jobs: unknown[] }>('/onboarding/jobs?symbol=UPLOAD3')).body.jobs,
    ).toHaveLength(1);
  });

  test('gets a job of its own where the one that it meant to join fails before it is admitted', async () => {
    const service = await start();
    const activation = service.holdBefore(beforeSymbolIsActive('UPLOAD4'));
    await service.upload('UPLOAD4');
    await activation.reached;
    const admission = service.holdBefore(beforeAdmission);
    const second = service.upload('UPLOAD4');
    await admission.reached;
    // What a failure would write, while the upload believes the job to be under way.
    await database.sql(
      `with gone as (delete from pgboss.job where singleton_key = 'UPLOAD4')
       update onboarding_jobs set status = 'failed', state = 'failed', claim_epoch = claim_epoch + 1,
         error_code = 'test', error_message = 'failed on purpose' where symbol = 'UPLOAD4'`,
    );
    activation.open();
    admission.open();

    const { status, body } = await second;
    expect(status).toBe(202);
    await expectPriced(service, body.portfolio_id, 'UPLOAD4');
    const { jobs } = (await service.get<{ jobs: { status: string }[] }>('/onboarding/jobs?symbol=UPLOAD4'))
      .body;
    expect(jobs.map((job) => job.status)).toEqual(['completed', 'failed']);
  });

  test('two symbols of one portfolio that finish at the same moment are both in it', async () => {
    const service = await start();
    const gates = ['PAIR1', 'PAIR2', 'PAIR3'].map((symbol) => service.provider.hold(symbol));
    const { body } = await service.upload('PAIR1', 'PAIR2', 'PAIR3');
    await Promise.all(gates.map(({ reached }) => reached));
    const announcing = service.holdBefore((text) => text.includes('set feed_position ='));
    for (const gate of gates) gate.open();
    await announcing.reached; // the portfolio is locked
    announcing.open();

    const portfolio = await service.settled(body.portfolio_id);
    expect(portfolio).toMatchObject({ status: 'ready', snapshot: { position_count: 3, is_complete: true } });
  });
});
