import { beforeAll, expect, test } from 'vitest';
import { type DiagnosisView, diagnosisSchema } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { type DiagnosisParts, diagnose } from '../../src/diagnosis/diagnosis.probe.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import type { MarketDataProvider } from '../../src/market/provider.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { csvOf, startService, type Uploaded } from '../support/service.ts';
import { authTokens, credentials } from '../support/tokens.ts';

const named = (diagnosis: DiagnosisView, name: string) =>
  diagnosis.findings.find((finding) => finding.name === name)!;

describeOnEveryDatabase('a diagnosis', (makeDatabase, kind) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const start = (isSound = true) =>
    startService(database, { settings: { ONBOARDING_CONCURRENCY: '2' }, isSound });
  const look = async ({ get }: Awaited<ReturnType<typeof start>>) =>
    diagnosisSchema.parse((await get('/onboarding/diagnosis')).body);
  const alone = (more: Partial<DiagnosisParts> = {}) => {
    const { databaseUrl: url } = database;
    const sources = [simulatedProvider({ clock: systemClock })];
    const held = { kind: 'pglite' as const, dataDir: '/nowhere', fsync: false };
    const config = { database: url ? { kind: 'postgresql' as const, url } : held };
    return diagnose({
      config,
      database,
      sources,
      clock: systemClock,
      gate: null,
      loops: null,
      nodeName: 'here',
      ...more,
    });
  };

  if (kind === 'pglite') {
    test('fails where the data directory is gone from under it', async () => {
      expect(named(await alone(), 'lock')).toMatchObject({
        verdict: 'failed',
        evidence: expect.stringMatching(/was moved or removed while this process uses it/),
      });
    });
  }

  test('finds nothing wrong with a service at work, and names what it saw', async () => {
    const service = await start();
    const first = await look(service);
    expect(named(first, 'proxies')).toMatchObject({
      verdict: 'warning',
      evidence: expect.stringMatching(/not stored; the latest is missing too/),
    });
    const { body } = await service.upload<Uploaded>(csvOf('FINE'));
    await service.settled(body.portfolio_id);
    const { findings } = await look(service);
    // The embedded database of the tests lies in memory, so nobody holds a directory.
    const seen = findings.filter(({ name }) => kind === 'postgres' || name !== 'lock');
    expect(seen.map(({ name, verdict, cure }) => [name, verdict, cure])).toEqual(
      ['database', 'lock', 'clock', 'provider', 'loops', 'proxies', 'queue', 'lots', 'reconciler']
        .filter((name) => kind === 'postgres' || name !== 'lock')
        .map((name) => [name, 'ok', null]),
    );
    expect(named(await look(service), 'database').evidence).toMatch(
      /PostgreSQL 1\d\.\d.* all \d+ migrations/,
    );
  });

  test('names the symbol whose queue entry is gone, and how to repair it', async () => {
    const service = await start();
    await service.post('/onboarding/pause');
    await service.upload(csvOf('LOST', 'KEPT'));
    expect(named(await look(service), 'queue')).toMatchObject({
      verdict: 'warning',
      evidence: '2 unfinished jobs, 2 queue entries; onboarding is paused.',
    });
    await database.sql(`delete from pgboss.job where singleton_key = 'LOST'`);
    const broken = await look(service);
    expect(broken.verdict).toBe('failed');
    expect(named(broken, 'queue')).toMatchObject({
      verdict: 'failed',
      evidence: expect.stringMatching(/^2 unfinished jobs, 1 queue entries.* no node can claim it: LOST\.$/),
      cure: expect.stringContaining('`symbol-onboarding cancel LOST`, then POST /symbols/LOST/onboarding'),
    });
    const { job_id } = await service.job('LOST');
    expect(await service.post(`/onboarding/jobs/${job_id}/cancel`)).toMatchObject({ status: 202 });
    expect(await service.post('/symbols/LOST/onboarding')).toMatchObject({ status: 202 });
    await service.post('/onboarding/resume');
    await service.transition(({ symbol, to }) => symbol === 'LOST' && to === 'completed');
    await service.transition(({ symbol, to }) => symbol === 'KEPT' && to === 'completed');
    expect(named(await look(service), 'queue')).toMatchObject({ verdict: 'ok' });
  });

  test('names known symbols whose lots lack a price', async () => {
    const service = await start(false);
    const { body } = await service.upload<Uploaded>(csvOf('BARE', 'BARE2'));
    await service.settled(body.portfolio_id);
    await database.sql(
      `update positions set last_close = null, priced_version = null where needs_symbol = 'BARE'`,
    );
    expect(named(await look(service), 'lots')).toMatchObject({
      verdict: 'failed',
      evidence: expect.stringMatching(/have no running job: BARE \(1\)\.$/),
    });
    await service.send('DELETE', `/portfolios/${body.portfolio_id}`);
  });

  test('lets no check wait for another: a provider that hangs is one finding', async () => {
    const hanging = { name: 'yahoo', lookup: () => new Promise(() => {}) } as unknown as MarketDataProvider;
    const found = await alone({ sources: [hanging], deadlineMs: 2000 });
    expect(named(found, 'provider')).toMatchObject({
      verdict: 'failed',
      evidence: 'Not checked: no answer within 2 s.',
    });
    expect(named(found, 'database')).toMatchObject({ verdict: 'ok' });
    expect(named(found, 'database').duration_ms).toBeLessThan(2000);
  });

  test('tells a provider that asks to wait from one that does not answer', async () => {
    const throwing = (error: AppError) =>
      ({ name: 'yahoo', lookup: () => Promise.reject(error) }) as unknown as MarketDataProvider;
    const waits = new AppError('provider_throttled', 'wait', { retryAt: Date.parse('2026-03-02T10:15:00Z') });
    expect(named(await alone({ sources: [throwing(waits)] }), 'provider')).toMatchObject({
      verdict: 'warning',
      evidence: 'yahoo asks to wait until 2026-03-02T10:15:00.000Z.',
    });
    const silent = new AppError('provider_timeout', 'Yahoo did not answer', { retryable: true });
    expect(named(await alone({ sources: [throwing(silent)] }), 'provider')).toMatchObject({
      verdict: 'failed',
      evidence: expect.stringMatching(/^yahoo could not verify SPY \(in .*\): Yahoo did not answer$/),
    });
  });

  test('is for operators', async () => {
    const { url } = await startService(database, { settings: { AUTH_TOKENS: authTokens } });
    const ask = async (person: 'ann' | 'olga') =>
      (await fetch(`${url}/onboarding/diagnosis`, { headers: credentials(person) })).status;
    expect([await ask('ann'), await ask('olga')]).toEqual([403, 200]);
  });

  test('warns of clocks that are apart, and of migrations that are missing', async () => {
    const ahead = { ...systemClock, now: () => systemClock.now() + 60_000 };
    expect(named(await alone({ clock: ahead }), 'clock')).toMatchObject({
      verdict: 'warning',
      evidence: expect.stringMatching(/^The database's clock is (59|60) s behind/),
    });
    await database.sql(`update mikro_orm_migrations set name = 'Migration20991231000000' where id = 1`);
    expect(named(await alone(), 'database')).toMatchObject({
      verdict: 'failed',
      evidence: expect.stringMatching(
        /^A newer version of this service has migrated .*: Migration20991231000000/,
      ),
    });
    const [first] = await database.sql<{ name: string }>(
      `delete from mikro_orm_migrations where id = 1 returning name`,
    );
    expect(first!.name).toBe('Migration20991231000000');
    expect(named(await alone(), 'database').evidence).toMatch(/lacks 1 of \d+ migrations: Migration2026/);
  });
});
