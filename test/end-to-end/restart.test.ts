import { beforeAll, expect, test } from 'vitest';
import type { JobDetailView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { parseFaults } from '../../src/market/simulated/faults.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../support/databases.ts';
import { gatedDatabase, gatedProvider } from '../support/gates.ts';
import { csvOf, startService, type Uploaded } from '../support/service.ts';

const market = (faults = '') =>
  gatedProvider(simulatedProvider({ clock: systemClock, faults: parseFaults(faults) }));
const attemptsAt = ({ timeline }: JobDetailView, state: string) =>
  timeline.filter(({ to }) => to === state).map(({ attempt }) => attempt);

describeOnEveryDatabase('a service that is stopped in the middle', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('loses nothing: the next one goes on where each job was, and fetches no stored bars again', async () => {
    const before = market('TRIED=timeout:2');
    const settings = { SHUTDOWN_GRACE_MS: '0', ONBOARDING_CONCURRENCY: '3' };
    const first = await startService(database, { provider: before, settings });
    const [fetching, tried] = [before.hold('ASKED'), before.hold('TRIED', { after: 2 })];
    const proxies = before.hold('SPY');
    await first.upload(csvOf('STORED', 'ASKED', 'TRIED'));
    await Promise.all([fetching.reached, tried.reached, proxies.reached]); // three permits, none is left
    const upload = await first.upload<Uploaded>(csvOf('STORED', 'ASKED', 'TRIED', 'WAITS'));

    const closing = first.app.close();
    proxies.open(); // what all jobs share is not aborted for one of them
    await closing;
    expect(
      await database.sql(
        `select symbol, status, phase, attempt, resumes, node from onboarding_jobs order by symbol`,
      ),
    ).toEqual([
      { symbol: 'ASKED', status: 'processing', phase: 'fetch', attempt: 1, resumes: 0, node: null },
      { symbol: 'STORED', status: 'processing', phase: 'factors', attempt: 1, resumes: 0, node: null },
      { symbol: 'TRIED', status: 'processing', phase: 'fetch', attempt: 3, resumes: 0, node: null },
      { symbol: 'WAITS', status: 'pending', phase: 'fetch', attempt: 1, resumes: 0, node: null },
    ]);

    const second = await startService(database, { provider: market('TRIED=timeout') });
    const portfolio = await second.settled(upload.body.portfolio_id);

    expect(portfolio).toMatchObject({
      status: 'partial',
      progress: { ready: 3, failed: 1 },
      snapshot: { position_count: 3, unpriced_count: 1, pending_count: 0 },
    });
    const { histories } = second.app.provider.requests();
    expect(histories).toMatchObject({ ASKED: 1, TRIED: 2, WAITS: 1 });
    expect(histories.STORED).toBeUndefined();
    // The attempt that was interrupted is made again; those that were spent stay spent.
    expect(attemptsAt(await second.job('TRIED'), 'processing.fetch.running')).toEqual([1, 2, 3, 3, 4]);
    const stored = await second.job('STORED');
    expect(stored).toMatchObject({ status: 'completed', outcome: 'complete', resumes: 0 });
    expect(stored.timeline.map(({ sequence }) => sequence)).toEqual(stored.timeline.map((_, n) => n + 1));
    expect(attemptsAt(stored, 'processing.fetch.running')).toEqual([1]);
  });

  test('a job that waits for its retry when the service stops still waits for it afterwards', async () => {
    const first = await startService(database, {
      provider: market('PAUSED=timeout:1'),
      settings: { RETRY_BASE_MS: '3000', RETRY_MAX_MS: '3000' },
      random: () => 0.99, // long enough to stop and start again in
    });
    const upload = await first.upload<Uploaded>(csvOf('PAUSED'));
    await first.transition(({ symbol, to }) => symbol === 'PAUSED' && to.endsWith('backingOff'));
    const { retry_at: retryAt } = await first.job('PAUSED');
    await first.app.close();

    const second = await startService(database);
    expect(await second.settled(upload.body.portfolio_id)).toMatchObject({ status: 'ready' });
    const { timeline } = await second.job('PAUSED');
    const runs = timeline.filter(({ to }) => to === 'processing.fetch.running');
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(Date.parse(runs[1]!.at)).toBeGreaterThanOrEqual(Date.parse(retryAt!) - 5); // two clocks, one machine
  });
});

describeOnDatabase('pglite', 'a client that keeps its connection', (makeDatabase) => {
  test('gets the answer that it waits for and does not hold up the stop', async () => {
    const database = gatedDatabase(await makeDatabase());
    const service = await startService(database);
    const admission = database.holdBefore((text) => text.includes('pg_advisory_xact_lock'));
    const upload = service.upload<Uploaded>(csvOf('PATIENT'));
    await admission.reached;

    const closing = service.app.close();
    admission.open();

    expect(await upload).toMatchObject({ status: 202 });
    await closing; // not when the idle connection times out, after a minute
    const [job] = await database.sql(`select status, node from onboarding_jobs where symbol = 'PATIENT'`);
    expect(job).toMatchObject({ node: null });
  });
});

describeOnDatabase('postgres', 'two services on one database', (makeDatabase) => {
  test('the one that stops hands its jobs over, and the other goes on at once', async () => {
    const database = await makeDatabase();
    const settings = { SHUTDOWN_GRACE_MS: '0' };
    const before = market();
    const gates = ['HANDED1', 'HANDED2'].map((symbol) => before.hold(symbol));
    const leaving = await startService(database, { provider: before, settings });
    const upload = await leaving.upload<Uploaded>(csvOf('HANDED1', 'HANDED2'));
    await Promise.all(gates.map(({ reached }) => reached));
    // Whoever polls would find the jobs too, but later: this one has nothing to go by but what it is told.
    const never = { ...systemClock, sleepUntil: () => new Promise<never>(() => {}) };
    const staying = await startService(database, { clock: never, provider: market() });

    await leaving.app.close();
    const portfolio = await staying.settled(upload.body.portfolio_id);

    expect(portfolio).toMatchObject({ status: 'ready', snapshot: { position_count: 2 } });
    expect(staying.app.provider.requests().histories).toMatchObject({ HANDED1: 1, HANDED2: 1 });
    for (const symbol of ['HANDED1', 'HANDED2']) {
      const job = await staying.job(symbol);
      expect(job).toMatchObject({ status: 'completed', resumes: 0 });
      const nodes = new Set(job.timeline.map(({ node }) => node).filter((node) => node !== null));
      expect(nodes.size).toBe(2);
      expect(attemptsAt(job, 'processing.fetch.running')).toEqual([1, 1]);
    }
  });
});
