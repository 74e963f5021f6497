import { beforeAll, expect, test } from 'vitest';
import type {
  DiagnosisView,
  JobDetailView,
  OverviewView,
  Problem,
  SymbolStatusView,
} from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { sampleOf } from '../support/prometheus.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const settings = { JOB_RETENTION_DAYS: '30', EXPOSURE_RETENTION_DAYS: '30', PROXY_SET_RETENTION_DAYS: '30' };

const overview = async (service: TestService) => (await service.get<OverviewView>('/onboarding')).body;
const exposures = (service: TestService, date = '') =>
  service.get<{ calculation_date: string | null; exposures: unknown[] }>(`/symbols/AAPL/exposures${date}`);

/** Puts beside what there is the same of forty days ago, as a service that has run as long would have it. */
async function addPast(database: Database): Promise<{ jobId: string; date: string }> {
  const jobId = '01980000-0000-7000-8000-000000000001';
  await database.sql(
    `insert into onboarding_jobs
     select (jsonb_populate_record(j, jsonb_build_object('id', $1::text, 'finished_at', now() - interval '40 days'))).*
     from onboarding_jobs j where symbol = 'AAPL'`,
    [jobId],
  );
  await database.sql(
    `insert into symbol_factor_exposures
     select (jsonb_populate_record(e, jsonb_build_object('calculation_date', calculation_date - 40,
       'proxy_version', proxy_version - 40))).*
     from symbol_factor_exposures e`,
  );
  await database.sql('insert into proxy_sets (version, closes) select version - 40, closes from proxy_sets');
  const [row] = await database.sql<{ date: string }>(
    `select min(calculation_date)::text as date from symbol_factor_exposures where symbol = 'AAPL'`,
  );
  return { jobId, date: row!.date };
}

describeOnEveryDatabase('a service with a long past', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('forgets it at its start, answers as before, and counts right after another start', {
    timeout: 180_000,
  }, async () => {
    const before = await startService(database, { faults: 'GONE=empty' });
    const { body } = await before.upload<Uploaded>(csvOf('AAPL', 'MSFT', 'GONE'));
    const portfolio = await before.settled(body.portfolio_id);
    const measured = (await exposures(before)).body;
    await before.app.close();
    const { jobId, date } = await addPast(database);

    const service = await startService(database, { settings });
    // The old proxy set is the last that goes.
    for (let versions = 2; versions > 1; ) {
      const [row] = await database.sql<{ n: number }>('select count(*)::int as n from proxy_sets');
      versions = row!.n;
    }
    const gone = await service.get<Problem>(`/onboarding/jobs/${jobId}`);
    expect([gone.status, gone.body.code]).toEqual([404, 'job_not_found']);
    expect((await service.get(`/actors/${jobId}`)).status).toBe(404);
    expect((await service.post(`/onboarding/jobs/${jobId}/retry`)).status).toBe(404);
    const counts = { pending: 0, processing: 0, completed: 2, failed: 1, cancelled: 0 };
    expect(await overview(service)).toMatchObject({ counts, depth: 0 });
    const text = await (await fetch(`${service.url}/metrics`)).text();
    expect(sampleOf(text, 'onboarding_jobs', { status: 'completed' })).toBe(2);

    expect((await exposures(service)).body).toEqual(measured);
    expect((await exposures(service, `?date=${date}`)).body).toMatchObject({ exposures: [] });
    for (const [symbol, status] of [
      ['AAPL', 'ready'],
      ['GONE', 'error'],
    ] as const) {
      const view = await service.get<SymbolStatusView>(`/symbols/${symbol}/status`);
      expect(view.body.status).toBe(status);
      const job: JobDetailView = await service.job(symbol);
      expect(job.timeline.map(({ sequence }) => sequence)).toEqual(job.timeline.map((_, index) => index + 1));
    }
    expect((await service.portfolio(body.portfolio_id)).snapshot).toEqual(portfolio.snapshot);
    const { findings } = (await service.get<DiagnosisView>('/onboarding/diagnosis')).body;
    const ofRows = ['proxies', 'queue', 'lots', 'reconciler'];
    const wrong = findings.filter(({ name, verdict }) => verdict !== 'ok' && ofRows.includes(name));
    expect(wrong).toEqual([]);
    await service.app.close();

    const again = await startService(database, { settings });
    expect(await overview(again)).toMatchObject({ counts, depth: 0 });
  });
});
