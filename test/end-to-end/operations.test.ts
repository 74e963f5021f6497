import { beforeEach, expect, test } from 'vitest';
import type { JobDetailView, OverviewView, Problem } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import type { MarketDataProvider } from '../../src/market/provider.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const jobPath = ({ job_id }: Pick<JobDetailView, 'job_id'>) => `/onboarding/jobs/${job_id}`;

/** A market in which the histories of some symbols fail for good until they are mended. */
function brokenMarket(...symbols: string[]) {
  const broken = new Set(symbols);
  const market = simulatedProvider({ clock: systemClock });
  const mending: MarketDataProvider = {
    ...market,
    history: (request) =>
      market.history(broken.has(request.symbol) ? { ...request, symbol: 'NOPE' } : request),
  };
  return { ...gatedProvider(mending), mend: (symbol: string) => broken.delete(symbol) };
}

describeOnEveryDatabase('an operator', (makeDatabase) => {
  let database: Database;
  beforeEach(async () => {
    database = await makeDatabase();
  });

  const failedJob = async (service: TestService, symbol: string) => {
    const { body } = await service.upload<Uploaded>(csvOf(symbol));
    await service.settled(body.portfolio_id);
    const job = await service.job(symbol);
    expect(job.status).toBe('failed');
    return { job, id: body.portfolio_id };
  };

  test('retries a failed job: the same one ends completed, and the portfolio is valued', async () => {
    const provider = brokenMarket('MENDED');
    const service = await startService(database, { provider });
    const { job, id } = await failedJob(service, 'MENDED');
    expect((await service.portfolio(id)).snapshot).toBeNull();
    provider.mend('MENDED');

    const retried = await service.post<JobDetailView>(`${jobPath(job)}/retry`);

    expect(retried.status).toBe(202);
    expect(retried.body).toMatchObject({ job_id: job.job_id, error: null, finished_at: null });
    expect(retried.body.timeline.map(({ event }) => event)).toContain('job.retry');
    const portfolio = await service.settled(id);
    expect(portfolio).toMatchObject({ status: 'ready', snapshot: { position_count: 1 } });
    expect(await service.job('MENDED')).toMatchObject({ job_id: job.job_id, status: 'completed' });
    const again = await service.post<Problem>(`${jobPath(job)}/retry`);
    expect(again).toMatchObject({ status: 409, body: { code: 'not_retryable' } });
  });

  test('is told which other job has the symbol, and when the queue is full', async () => {
    const provider = brokenMarket('BROKEN');
    const service = await startService(database, {
      provider,
      settings: { ONBOARDING_QUEUE_DEPTH: '1', SHUTDOWN_GRACE_MS: '0' },
    });
    const { job } = await failedJob(service, 'BROKEN');
    const other = provider.hold('OTHER');
    const held = await service.upload<Uploaded>(csvOf('OTHER'));
    const full = await service.post<Problem>(`${jobPath(job)}/retry`);
    expect(full).toMatchObject({ status: 503, body: { code: 'queue_full', depth: 1, limit: 1 } });
    expect(Number(full.headers.get('retry-after'))).toBe(full.body.retry_after_seconds);
    expect(await service.job('BROKEN')).toMatchObject({ status: 'failed', sequence: job.sequence });
    other.open();
    await service.settled(held.body.portfolio_id);

    const newer = provider.hold('BROKEN');
    await service.upload(csvOf('BROKEN'));
    await newer.reached;
    const busy = await service.post<Problem>(`${jobPath(job)}/retry`);
    const { job_id } = await service.job('BROKEN');
    expect(job_id).not.toBe(job.job_id);
    expect(busy).toMatchObject({ status: 409, body: { code: 'symbol_busy', job_id } });
  });

  test('cancels a job that waits at once, and one that runs through its node', async () => {
    const provider = brokenMarket();
    const settings = { ONBOARDING_CONCURRENCY: '1', ONBOARDING_PREFETCH: '0' };
    const service = await startService(database, { provider, settings });
    const running = provider.hold('RUNS');
    const { body } = await service.upload<Uploaded>(csvOf('RUNS'));
    await running.reached;
    await service.upload(csvOf('WAITS'));

    const waiting = await service.job('WAITS');
    const cancelled = await service.post(`${jobPath(waiting)}/cancel`);
    expect(cancelled).toMatchObject({ status: 202, body: { job_id: waiting.job_id, status: 'cancelled' } });
    expect((await service.job('WAITS')).status).toBe('cancelled');

    const asked = await service.post(`${jobPath(await service.job('RUNS'))}/cancel`);
    expect(asked).toMatchObject({ status: 202, body: { status: 'requested' } });
    const ended = await service.transition(({ symbol, to }) => symbol === 'RUNS' && to === 'cancelled');
    expect(ended.error).toBeNull();
    expect(await service.settled(body.portfolio_id)).toMatchObject({ status: 'error', snapshot: null });
    const again = await service.post(`${jobPath(await service.job('RUNS'))}/cancel`);
    expect(again).toMatchObject({ status: 409, body: { code: 'not_cancellable' } });
  });

  test('comes too late once the symbol is in the universe', async () => {
    const provider = brokenMarket();
    const service = await startService(database, { provider });
    const fetching = provider.hold('LATE');
    const { body } = await service.upload<Uploaded>(csvOf('LATE'));
    await fetching.reached;
    const job = await service.job('LATE');
    // As its universe phase would leave it.
    await database.sql('update onboarding_jobs set universe_committed_at = now() where id = $1::uuid', [
      job.job_id,
    ]);
    const late = await service.post(`${jobPath(job)}/cancel`);
    expect(late).toMatchObject({ status: 409, body: { code: 'too_late_to_cancel' } });
    fetching.open();
    expect(await service.settled(body.portfolio_id)).toMatchObject({ status: 'ready' });
  });

  test('pauses: uploads are admitted and nothing begins, also after a restart, until somebody resumes', async () => {
    const before = await startService(database);
    for (const _ of [1, 2]) {
      expect(await before.post('/onboarding/pause')).toMatchObject({ status: 200, body: { paused: true } });
    }
    const { body } = await before.upload<Uploaded>(csvOf('PATIENT'));
    await before.app.close();

    const service = await startService(database);
    const overview = await service.get<OverviewView>('/onboarding');
    expect(overview.body).toMatchObject({ paused: true, counts: { pending: 1, processing: 0 } });
    expect((await service.job('PATIENT')).timeline).toHaveLength(1);
    // Nobody knows for how long, whatever was measured before the pause.
    expect(overview.body.estimated_drain_seconds).toBeNull();
    expect((await service.get('/symbols/PATIENT/status')).body).toMatchObject({
      status: 'pending',
      message: 'Queued for processing; onboarding is paused',
      estimated_seconds: null,
    });
    for (const _ of [1, 2]) {
      expect(await service.post('/onboarding/resume')).toMatchObject({
        status: 200,
        body: { paused: false },
      });
    }
    expect(await service.settled(body.portfolio_id)).toMatchObject({ status: 'ready' });
    expect((await service.get('/onboarding')).body).toMatchObject({ paused: false });
  });

  test('is told of a job that is not there', async () => {
    const service = await startService(database);
    for (const action of ['retry', 'cancel']) {
      const path = `/onboarding/jobs/0199a000-0000-7000-8000-0000000000ff/${action}`;
      expect(await service.post(path)).toMatchObject({ status: 404, body: { code: 'job_not_found' } });
    }
  });
});
