import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { z } from 'zod';
import type {
  Finding,
  OverviewView,
  Problem,
  SymbolView,
  timelineViewSchema,
} from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { temporaryDirectory } from '../support/directories.ts';
import { writePriceFiles } from '../support/price-files.ts';
import { sampleOf } from '../support/prometheus.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';
import type { StandinFault } from '../support/standin-yahoo/faults.ts';
import { type StandinYahoo, startStandinYahoo } from '../support/standin-yahoo/server.ts';

type Timeline = z.infer<typeof timelineViewSchema>;

const outage: StandinFault = { match: '.', kind: '500' };

describeOnDatabase('pglite', 'the service in front of Yahoo', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  async function start(
    settings: Record<string, string> = {},
  ): Promise<{ service: TestService; yahoo: StandinYahoo }> {
    const yahoo = await startStandinYahoo();
    onTestFinished(() => yahoo.close());
    const service = await startService(database, {
      settings: { MARKET_DATA: 'yahoo', YAHOO_BASE_URL: yahoo.url, ...settings },
    });
    return { service, yahoo };
  }
  const charts = (yahoo: StandinYahoo) =>
    yahoo.requests().map(({ path }) => /^\/v8\/finance\/chart\/([^?]*)/.exec(path)?.[1] ?? path);
  const overview = async (service: TestService) => (await service.get<OverviewView>('/onboarding')).body;

  test('a new symbol costs one request, in all: it is verified by the prices that its job stores', async () => {
    const { service, yahoo } = await start();
    const symbols = Array.from({ length: 12 }, (_, n) => `NEWLY${n}`);
    const { status, body } = await service.upload<Uploaded>(csvOf(...symbols));
    expect(status).toBe(202);
    expect(await service.settled(body.portfolio_id)).toMatchObject({ status: 'ready' });

    const proxies = ['IWM', 'MTUM', 'QUAL', 'SPY', 'TLT', 'USMV', 'VTV', 'VUG'];
    expect(charts(yahoo).sort()).toEqual([...symbols, ...proxies].sort());
    yahoo.forget();
    await service.upload(csvOf(...symbols, 'ONEMORE'));
    await service.transition(({ symbol, to }) => symbol === 'ONEMORE' && to === 'completed');
    expect(charts(yahoo)).toEqual(['ONEMORE']);
  });

  test('an outage rejects no valid symbol: 503 with Retry-After, and the breaker is there to be seen', async () => {
    const { service, yahoo } = await start();
    yahoo.setFaults([outage]);
    const refused = await service.upload<Problem>(csvOf('REAL1', 'REAL2', 'REAL3', 'REAL4', 'REAL5'));
    expect(refused).toMatchObject({ status: 503, body: { code: 'symbols_unverifiable' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);

    const { market_data } = await overview(service);
    expect(market_data).toMatchObject({
      breaker: { state: 'open', until: expect.any(String), failures: 5 },
      limiter: { concurrency: 4, interval_ms: 0, running: 0, waiting: 0 },
    });
    const text = await (await fetch(`${service.url}/metrics`)).text();
    expect(sampleOf(text, 'onboarding_provider_breaker', { state: 'open' })).toBe(1);
    expect(sampleOf(text, 'onboarding_provider_requests', { state: 'waiting' })).toBe(0);
    const { body: diagnosis } = await service.get<{ findings: Finding[] }>('/onboarding/diagnosis');
    expect(diagnosis.findings.find(({ name }) => name === 'gate')?.evidence).toMatch(/^The breaker is open/);

    const sent = yahoo.requests().length;
    await service.upload(csvOf('REAL6'));
    expect(yahoo.requests()).toHaveLength(sent); // nobody knocks at a closed door
  });

  test('an open breaker uses up no attempt of a job', async () => {
    const { service, yahoo } = await start({ RETRY_LIMIT: '0', UNVERIFIABLE: 'defer' });
    yahoo.setFaults([{ match: '/chart/WAITS', kind: '429', retryAfter: 1 }]);
    const { body } = await service.upload<Uploaded>(csvOf('WAITS', 'WAITS2'));
    await service.transition(({ error }) => error?.code === 'provider_paused');
    yahoo.setFaults([]);
    await service.settled(body.portfolio_id);
    for (const symbol of ['WAITS', 'WAITS2']) {
      expect(await service.job(symbol)).toMatchObject({ status: 'completed', attempt: 1 });
    }
  });

  test('with UNVERIFIABLE=defer an outage takes an upload on trust, and its jobs verify it', async () => {
    const { service, yahoo } = await start({ UNVERIFIABLE: 'defer' });
    yahoo.setFaults([{ match: '/chart/', kind: '500', count: 2 }]);
    const { status, body } = await service.upload<Uploaded>(csvOf('TRUE', 'NOPE'));
    expect(status).toBe(202);
    expect(body.pending_symbols).toEqual(['NOPE', 'TRUE']);
    expect(body.warnings).toMatchObject([
      { code: 'WARN_SYM_001', row: 2, value: 'TRUE', message: expect.stringContaining('status 500') },
      { code: 'WARN_SYM_001', row: 3, value: 'NOPE' },
    ]);
    expect(await service.settled(body.portfolio_id)).toMatchObject({
      status: 'partial',
      symbols: [
        { symbol: 'NOPE', status: 'error', message: expect.stringContaining('has no symbol NOPE') },
        { symbol: 'TRUE', status: 'ready' },
      ],
    });
    expect(await service.job('NOPE')).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'symbol_not_found' },
    });

    yahoo.setFaults([{ match: '/chart/', kind: '500', count: 1 }]);
    expect(await service.post('/symbols/SINGLE/onboarding')).toMatchObject({ status: 202 });
    await service.transition(({ symbol, to }) => symbol === 'SINGLE' && to === 'completed');
    // What is known to be invalid is refused, whatever else is deferred.
    yahoo.setFaults([{ match: '/chart/MUTE', kind: '500', count: 1 }]);
    expect(await service.upload(csvOf('MUTE', 'NOPE2'))).toMatchObject({ status: 422 });
  });

  test('what Yahoo cannot give comes from files, whole, and the timeline says why', async () => {
    const directory = temporaryDirectory();
    writePriceFiles(directory, ['OURS', 'MINE'], Date.now(), 7);
    const { service, yahoo } = await start({ MARKET_DATA: 'yahoo,files', MARKET_DATA_DIR: directory });
    yahoo.setFaults([
      { match: '/chart/OURS', kind: '404' },
      { match: '/chart/MINE', kind: '500', count: 2 },
    ]);
    const { body } = await service.upload<Uploaded>(csvOf('OURS', 'MINE', 'THEIRS'));
    expect(await service.settled(body.portfolio_id)).toMatchObject({ status: 'ready' });
    const providers = ['OURS', 'MINE', 'THEIRS'].map(async (symbol) => {
      const { body: profile } = await service.get<SymbolView>(`/symbols/${symbol}`);
      return [symbol, profile.provider];
    });
    expect(await Promise.all(providers)).toEqual([
      ['OURS', 'files'],
      ['MINE', 'files'],
      ['THEIRS', 'yahoo'],
    ]);
    const { job_id } = await service.job('OURS');
    const { body: timeline } = await service.get<Timeline>(`/onboarding/jobs/${job_id}/timeline`);
    const fallbacks = timeline.entries.flatMap((one) => one.provider_fallbacks);
    expect(fallbacks).toMatchObject([
      { from: 'yahoo', to: 'files', code: 'symbol_not_found', message: expect.stringContaining('OURS') },
    ]);
    const text = await (await fetch(`${service.url}/metrics`)).text();
    const passedOver = { from: 'yahoo', to: 'files', code: 'provider_unavailable' };
    expect(sampleOf(text, 'onboarding_provider_fallbacks_total', passedOver)).toBe(1);
    const { body: diagnosis } = await service.get<{ findings: Finding[] }>('/onboarding/diagnosis');
    expect(
      diagnosis.findings
        .filter(({ name }) => name.startsWith('provider'))
        .map(({ name, verdict }) => [name, verdict]),
    ).toEqual([
      ['provider yahoo', 'ok'],
      ['provider files', 'warning'], // without the proxies
    ]);
    // Nobody but files tomorrow: a database knows its kind of market, a series its own provider.
    await service.app.close();
    const { service: alone } = await start({ MARKET_DATA: 'files', MARKET_DATA_DIR: directory });
    expect(await alone.upload(csvOf('OURS', 'THEIRS'))).toMatchObject({ status: 201 });
    // Pence or pounds? Nobody says, so nothing is summed.
    copyFileSync(join(directory, 'OURS.csv'), join(directory, 'RIDDLE.L.csv'));
    const { body: riddle } = await alone.upload<Uploaded>(csvOf('OURS', 'RIDDLE.L'));
    expect(await alone.settled(riddle.portfolio_id)).toMatchObject({
      status: 'partial',
      snapshot: { position_count: 1, missing_fx_count: 1, is_complete: false },
    });
  });

  test.each([
    ['CHFSEK=X', 'An exchange rate has no factor exposures.'],
    ['ACME270115C00150000', 'An option has no factor exposures, because its delta is unknown.'],
  ])('%s gets prices but no betas, and says why', async (symbol, why) => {
    const { service } = await start();
    const { status } = await service.post(`/symbols/${encodeURIComponent(symbol)}/onboarding`);
    expect(status).toBe(202);
    await service.transition((one) => one.symbol === symbol && one.to === 'completed');
    expect(await service.job(encodeURIComponent(symbol))).toMatchObject({ outcome: 'complete' });
    const read = async <T>(path: string) =>
      (await service.get<T>(`/symbols/${encodeURIComponent(symbol)}${path}`)).body;
    expect((await read<{ bars: unknown[] }>('/prices')).bars.length).toBeGreaterThan(250);
    expect(await read('/exposures')).toMatchObject({
      quality: 'not_applicable',
      exposures: [],
      notes: [why],
    });
    expect((await read<{ message: string }>('/status')).message.toLowerCase()).toContain(
      why.slice(0, -1).toLowerCase(),
    );
  });
});
