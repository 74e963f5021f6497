import { beforeAll, expect, test } from 'vitest';
import type { JobDetailView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { type Age, age, ages, momentAgo } from '../support/ageing.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { failedReads } from '../support/every-read.ts';
import { sampleOf } from '../support/prometheus.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const hour = { RETRY_BASE_MS: '3600000', RETRY_MAX_MS: '3600000' };
// Two services with a handful of jobs each, on an embedded database too.
const options = { timeout: 180_000 };

const upload = async (service: TestService, ...symbols: string[]) =>
  (await service.upload<Uploaded>(csvOf(...symbols))).body.portfolio_id;

/** A job that is done, one that waits for its second attempt, and one that nobody began, in a portfolio. */
async function leaveJobs(database: Database, tag: string) {
  const [done, tries, waits] = [`DONE${tag}`, `TRIES${tag}`, `WAITS${tag}`];
  const service = await startService(database, {
    faults: `${tries}=timeout:1`,
    settings: { ...hour, ONBOARDING_CLUSTER_CONCURRENCY: '2' },
    random: () => 0.999,
  });
  await service.settled(await upload(service, done));
  await upload(service, tries);
  await service.transition(({ symbol, to }) => symbol === tries && to.endsWith('.backingOff'));
  await service.post('/onboarding/pause');
  const portfolio = await upload(service, done, tries, waits);
  await service.app.close();
  return { portfolio, unfinished: [tries, waits] };
}

/** What a start finds, long after, while onboarding is paused, and what comes of it. */
async function goesOn(
  service: TestService,
  { portfolio, unfinished }: Awaited<ReturnType<typeof leaveJobs>>,
): Promise<JobDetailView[]> {
  const reads = async () => {
    for (const symbol of unfinished) {
      const { job_id: job } = await service.job(symbol);
      expect(await failedReads(service, { portfolio, symbol, job })).toEqual([]);
    }
  };
  await reads();
  await service.post('/onboarding/resume');
  await service.settled(portfolio);
  await reads();
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  const figures = ['claims', 'requests', 'permits', 'leases'].map((loop) =>
    sampleOf(metrics, 'onboarding_loop_failures_total', { loop }),
  );
  // Entries that were lost would have been replaced.
  figures.push(sampleOf(metrics, 'onboarding_reconciler_findings_total', { kind: 'lost_job' }));
  expect(figures).toEqual([0, 0, 0, 0, 0]);
  const jobs = await Promise.all(unfinished.map((symbol) => service.job(symbol)));
  expect(jobs.map(({ symbol, status, outcome }) => [symbol, status, outcome])).toEqual(
    unfinished.map((symbol) => [symbol, 'completed', 'complete']),
  );
  return jobs;
}

const taken = (jobs: readonly JobDetailView[]) =>
  jobs.map(({ timeline }) => timeline.findLast(({ event }) => event === 'claimed' || event === 'resumed')!);

describeOnEveryDatabase('jobs', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const expectDurations = async (jobs: readonly JobDetailView[], by: Age) => {
    const stoodStillMs = Date.now() - (await momentAgo(database, by)) - 60_000;
    for (const { duration_ms } of taken(jobs)) expect(duration_ms).toBeGreaterThan(stoodStillMs);
  };

  test.each(ages)('that were left for %s go on where they were', options, async (by) => {
    const left = await leaveJobs(database, by.replace(/\W/g, '').toUpperCase());
    await age(database, by);
    const service = await startService(database);
    await expectDurations(await goesOn(service, left), by);
    // The service itself grows as old.
    await age(database, by);
    await service.settled(await upload(service, `NEW${by.length}`));
    expect((await service.get('/health/ready')).status).toBe(200);
  });

  test('of a database of the version before, which was left for a year, go on too', options, async () => {
    const left = await leaveJobs(database, 'BEFORE');
    await database.sql(
      `update pgboss.queue set retention_seconds = 1209600 where name = 'symbol-onboarding'`,
    );
    await database.sql(`update pgboss.job set keep_until = start_after + interval '14 days'`);
    await database.orm.migrator.down({ to: 'Migration20261126013500' });
    await age(database, '1 year');
    const service = await startService(database);
    await expectDurations(await goesOn(service, left), '1 year');
    const short = await database.sql(
      `select 1 from pgboss.job where keep_until < now() + interval '8 years'`,
    );
    expect(short).toEqual([]);
  });
});
