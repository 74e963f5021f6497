import { beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';
import type { exposuresSchema, Problem } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { failures } from '../../src/market/provider-failures.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { countRows } from '../support/rows.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const upload = async (service: TestService, ...symbols: string[]) =>
  (await service.upload<Uploaded>(csvOf(...symbols))).body.portfolio_id;

describeOnEveryDatabase('the error table of an upload', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('invalid symbols reject it, all of them named, and nothing is saved', async () => {
    const service = await startService(database);
    const before = await countRows(database);

    const { status, body } = await service.upload<Problem>(csvOf('GOOD', 'NOPE1', 'nope-two'));

    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'invalid_symbols', detail: expect.stringContaining('NOPE-TWO') });
    expect(body.symbols?.map(({ symbol }) => symbol).sort()).toEqual(['NOPE-TWO', 'NOPE1']);
    expect(body.symbols?.every(({ reason }) => reason.length > 0)).toBe(true);
    expect(await countRows(database)).toEqual(before);
    expect((await service.get('/symbols/GOOD/status')).body).toMatchObject({ status: 'unknown' });
    expect(service.app.provider.requests()).toMatchObject({ lookup: 1, history: 0 });
  });

  test('a provider that gives no verdict is an outage: 503 with Retry-After, and nothing is saved', async () => {
    const service = await startService(database, { faults: 'LOST=lookup-timeout:1' });
    const before = await countRows(database);

    const refused = await service.upload<Problem>(csvOf('LOST', 'FOUND'));

    expect(refused).toMatchObject({ status: 503, body: { code: 'symbols_unverifiable' } });
    expect(refused.body.symbols?.map(({ symbol }) => symbol)).toEqual(['LOST']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await countRows(database)).toEqual(before);

    const again = await service.upload<Uploaded>(csvOf('LOST', 'FOUND'));
    expect(again).toMatchObject({ status: 202, body: { pending_symbols: ['FOUND', 'LOST'] } });
    expect(await service.settled(again.body.portfolio_id)).toMatchObject({ status: 'ready' });
    expect(service.app.provider.requests().lookups).toEqual({ FOUND: 1, LOST: 2 });
  });

  test('a provider whose lookup breaks down is an outage too', async () => {
    const market = simulatedProvider({ clock: systemClock });
    const lookup = () => Promise.reject(failures.timeout({ provider: 'simulated' }));
    const service = await startService(database, { provider: { ...market, lookup } });
    const before = await countRows(database);

    const refused = await service.upload<Problem>(csvOf('DARK'));

    expect(refused).toMatchObject({ status: 503, body: { code: 'symbols_unverifiable' } });
    expect(refused.body.symbols?.map(({ symbol }) => symbol)).toEqual(['DARK']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await countRows(database)).toEqual(before);
  });

  test('an invalid symbol is named although another one could not be verified', async () => {
    const service = await startService(database, { faults: 'MUTE=lookup-500' });
    const refused = await service.upload<Problem>(csvOf('MUTE', 'NOPE'));
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'invalid_symbols', symbols: [{ symbol: 'NOPE' }] },
    });
  });
});

describeOnEveryDatabase('the error table of a job', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('no price data fails one at once and lets the others go on', async () => {
    const service = await startService(database, { faults: 'EMPTY=empty' });
    const id = await upload(service, 'EMPTY', 'FULL', 'ALSO');

    const portfolio = await service.settled(id);

    expect(portfolio).toMatchObject({
      status: 'partial',
      symbols: [
        { symbol: 'ALSO', status: 'ready' },
        { symbol: 'EMPTY', status: 'error', message: expect.stringContaining('no price data for EMPTY') },
        { symbol: 'FULL', status: 'ready' },
      ],
      snapshot: {
        position_count: 2,
        unpriced_count: 1,
        pending_count: 0,
        is_complete: false,
        coverage: '0.666667',
      },
    });
    expect(service.app.provider.requests().histories).toMatchObject({ EMPTY: 1, FULL: 1, ALSO: 1 });
    expect(await service.job('EMPTY')).toMatchObject({
      status: 'failed',
      error: { code: 'no_price_data', phase: 'fetch' },
    });
  });

  test('a provider that times out is asked four times, then the job has failed', async () => {
    const service = await startService(database, { faults: 'SLOW=timeout' });
    const portfolio = await service.settled(await upload(service, 'SLOW'));

    expect(portfolio).toMatchObject({ status: 'error', snapshot: null, progress: { failed: 1 } });
    expect(service.app.provider.requests().histories.SLOW).toBe(4);
    const job = await service.job('SLOW');
    expect(job).toMatchObject({
      status: 'failed',
      outcome: null,
      attempt: 4,
      error: { code: 'provider_timeout', phase: 'fetch' },
    });
    const runs = job.timeline.filter(({ to }) => to === 'processing.fetch.running');
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(job.timeline.filter(({ to }) => to === 'processing.fetch.backingOff')).toHaveLength(3);
    expect((await service.get('/symbols/SLOW/status')).body).toMatchObject({
      status: 'error',
      message: expect.stringContaining('did not answer in time'),
      estimated_seconds: null,
    });
  });

  test('a timeout that passes within the retries costs nothing but time', async () => {
    const service = await startService(database, { faults: 'FLAKY=timeout:2,FLAKY=500:1' });
    const portfolio = await service.settled(await upload(service, 'FLAKY'));

    expect(portfolio).toMatchObject({ status: 'ready', snapshot: { position_count: 1 } });
    expect(service.app.provider.requests().histories.FLAKY).toBe(4);
    const { timeline } = await service.job('FLAKY');
    // The counter starts anew in each phase.
    expect(timeline.find(({ to }) => to === 'processing.factors.running')).toMatchObject({ attempt: 1 });
  });

  test('being told to wait uses up no attempt', async () => {
    const service = await startService(database, { faults: 'BUSY=429:5', settings: { RETRY_LIMIT: '0' } });
    const portfolio = await service.settled(await upload(service, 'BUSY'));

    expect(portfolio).toMatchObject({ status: 'ready' });
    expect(service.app.provider.requests().histories.BUSY).toBe(6);
    const job = await service.job('BUSY');
    expect(job.timeline.every(({ attempt }) => attempt === 1)).toBe(true);
    expect(job.timeline.filter(({ to }) => to === 'processing.fetch.backingOff')).toHaveLength(5);
    expect(job.waited_ms).toBeGreaterThanOrEqual(500);
  });

  test('waiting has an end: what may be waited in all is a setting', async () => {
    const service = await startService(database, {
      faults: 'JAMMED=429',
      settings: { RETRY_WAIT_MAX_MS: '250' },
    });
    await service.settled(await upload(service, 'JAMMED'));

    expect(service.app.provider.requests().histories.JAMMED).toBe(3); // two waits of 100 ms fit
    expect(await service.job('JAMMED')).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'provider_throttled' },
    });
  });
});

describeOnEveryDatabase('the error table of the factors', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  const exposuresOf = async (service: TestService, symbol: string) =>
    (await service.get<z.infer<typeof exposuresSchema>>(`/symbols/${symbol}/exposures`)).body;

  async function expectDefaults(service: TestService, symbol: string, reason: string): Promise<void> {
    const { body } = await service.get(`/symbols/${symbol}/status`);
    expect(body).toMatchObject({
      status: 'ready',
      quality: 'default',
      message: expect.stringContaining('some factor exposures are placeholders'),
    });
    const { exposures } = await exposuresOf(service, symbol);
    expect(exposures).toHaveLength(12);
    for (const row of exposures) {
      expect(row).toMatchObject({
        quality: 'default',
        reason,
        beta: row.factor === 'market_beta' ? 1 : 0,
        standard_error: null,
      });
    }
    expect(await service.job(symbol)).toMatchObject({ status: 'completed', outcome: 'partial', error: null });
  }

  test('proxies that cannot be fetched are retried, then default betas are stored and the job is partial', async () => {
    const service = await startService(database, { faults: 'SPY=timeout' });
    const portfolio = await service.settled(await upload(service, 'ALONE'));

    expect(portfolio).toMatchObject({ status: 'ready', snapshot: { position_count: 1, is_complete: true } });
    await expectDefaults(service, 'ALONE', 'reference_unavailable');
    const { histories } = service.app.provider.requests();
    expect(histories).toMatchObject({ ALONE: 1, SPY: 4 });
    const { timeline } = await service.job('ALONE');
    expect(timeline.filter(({ to }) => to === 'processing.factors.backingOff')).toHaveLength(3);
  });

  test('a proxy without prices is not asked for again by that job', async () => {
    // Symbols of other tests that lack their reference would have the upkeep ask for it.
    await database.sql('update symbol_universe set quality_reason = null');
    const service = await startService(database, { faults: 'TLT=empty' });
    await service.settled(await upload(service, 'BARE'));

    await expectDefaults(service, 'BARE', 'reference_unavailable');
    expect(service.app.provider.requests().histories).toMatchObject({ TLT: 1 });
  });

  test('proxies that throttle are waited for, and the betas are measured', async () => {
    const service = await startService(database, { faults: 'IWM=429:2', settings: { RETRY_LIMIT: '0' } });
    await service.settled(await upload(service, 'PATIENT'));

    expect(await service.job('PATIENT')).toMatchObject({ status: 'completed', outcome: 'complete' });
    const { exposures } = await exposuresOf(service, 'PATIENT');
    expect(exposures.map(({ quality }) => quality)).toEqual(Array(12).fill('full_history'));
  });

  test('a calculation that breaks down never fails the job', async () => {
    const before = await startService(database);
    await before.settled(await upload(before, 'BEFORE')); // has the session's proxies stored
    await before.app.close();
    await database.sql(`update proxy_sets set closes = closes - 'QUAL'`);
    const service = await startService(database);
    const portfolio = await service.settled(await upload(service, 'BROKEN'));

    expect(portfolio).toMatchObject({ status: 'ready', snapshot: { position_count: 1 } });
    await expectDefaults(service, 'BROKEN', 'calculation_failed');
  });
});
