import { onTestFinished, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { describeFeed } from '../../src/api/openapi/asyncapi.ts';
import { describeApi } from '../../src/api/openapi/openapi.ts';
import type { ProblemEntry } from '../../src/api/problems/problem-entries.ts';
import { catalogPage } from '../../src/api/problems/problem-pages.ts';
import type { OverviewView } from '../../src/contract/schemas.ts';
import { judgeDatabase, judgeProxies, worst } from '../../src/diagnosis/judgements.ts';
import { watch } from '../api/feed-client.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { makeGate } from '../support/gates.ts';
import { readEvents, recordedFrames, showFrames } from '../support/recorded-frames.ts';
import { clockAt, expectRecorded, operationRecorder } from '../support/recording.ts';
import { startService, type TestService, type Uploaded } from '../support/service.ts';
import { chartBody } from '../support/standin-yahoo/bodies.ts';
import { startStandinYahoo } from '../support/standin-yahoo/server.ts';

type Recorder = ReturnType<typeof operationRecorder>;

const files = new URL('../../src/api/openapi/examples/', import.meta.url);
const guide = new URL('../../docs/feed.md', import.meta.url);
const node = 'server-1-4711-00e1ae3d'; // in place of the machine that records
const chartKeptMs = 360_000; // longer than the chart that verified a symbol is kept for its job
const pingMs = 31_000;

const csv = `Symbol,Quantity,Entry Price Per Share,Entry Date,Investment Class
AAPL,10,150,2025-06-30,
BRK.B,-5,400,2025-03-03,
USD,1000,1,2025-01-02,CASH
`;
const positions = [
  { symbol: 'AAPL', quantity: '10', entry_price: '150', entry_date: '2025-06-30' },
  { symbol: 'BRK.B', quantity: '-5', entry_price: '400', entry_date: '2025-03-03' },
  { symbol: 'USD', quantity: '1000', entry_price: '1', entry_date: '2025-01-02', investment_class: 'CASH' },
];

describeOnDatabase('pglite', 'the examples of the API', (makeDatabase) => {
  test('are what a service has answered', { timeout: 180_000 }, async () => {
    const clock = clockAt('2026-11-22T18:49:00Z');
    const yahoo = await standin(clock.now);
    const settings = { MARKET_DATA: 'yahoo', YAHOO_BASE_URL: yahoo.url };
    const service = await startService(await makeDatabase(), { settings, clock });
    const recorder = operationRecorder(service.url);
    const { ask, note } = recorder;
    await readReference(recorder);

    // One symbol is onboarded alone: from then on it is known how long phases take.
    const apple = { parameters: { symbol: 'AAPL' } };
    await ask('onboardSymbol', 'POST /symbols/{symbol}/onboarding', apple);
    await service.transition(({ symbol, to }) => symbol === 'AAPL' && to === 'completed');
    await ask('onboardSymbol', 'POST /symbols/{symbol}/onboarding', apple);

    // A portfolio needs another one, whose prices are on their way while everything is read.
    await service.post('/onboarding/pause');
    const { portfolio_id: id } = await uploadCsv(recorder);
    clock.skip(chartKeptMs);
    await service.post('/onboarding/resume');
    await yahoo.asked;
    await service.transition(({ symbol, to }) => symbol === 'BRK-B' && to === 'processing.fetch.running');
    const { job_id } = await service.job('BRK-B');
    const { node: here } = await ask<OverviewView>('getOnboarding', 'GET /onboarding');
    await ask('pauseOnboarding', 'POST /onboarding/pause');
    await ask('resumeOnboarding', 'POST /onboarding/resume');
    await readPortfolio(recorder, id);
    await readSymbols(recorder);
    await readActors(recorder, job_id);
    const feed = await watch(service.url).subscribe({ portfolios: [id] }, 'mine');
    const events = await readEvents(`${service.url}/events?symbols=BRK-B`);
    await events.until('live');

    yahoo.answer();
    await service.transition(({ symbol, to }) => symbol === 'BRK-B' && to === 'completed');
    note('streamEvents', 'parameters', { symbols: ['BRK-B'] });
    note('streamEvents', 'answers', { 200: await events.until('transition') });
    await ask('getTimeline', 'GET /onboarding/jobs/{id}/timeline', {
      parameters: { id: job_id, limit: 200 },
    });
    await uploadAgain(recorder);
    const later = () => clock.skip(pingMs);
    const frames = await recordedFrames(service.url, { feed, portfolio: id, symbol: 'BRK-B', later });
    await operate(recorder, service, () => {
      yahoo.setFaults([{ match: '/chart/TSLA', kind: 'empty' }]);
      clock.skip(chartKeptMs);
    });
    await ask('deletePortfolio', 'DELETE /portfolios/{id}', { parameters: { id } });

    const elsewhere = (answers: object) =>
      JSON.parse(
        clock
          .shifted(JSON.stringify(answers))
          .replaceAll(yahoo.url, 'https://query2.finance.yahoo.com')
          .replaceAll(here!, node),
      );
    expectRecorded(new URL('operations.json', files), elsewhere(recorder.operations));
    expectRecorded(new URL('frames.json', files), elsewhere(frames));
    if (process.env.RECORD) showFrames(guide, elsewhere(frames));
  });
});

/** Yahoo with one symbol that has split, one that is answered late, and otherwise the simulated market. */
async function standin(now: () => number) {
  const range = new URLSearchParams({ period1: '1735776000', period2: String(now() / 1000) });
  const { body } = chartBody('AAPL', range, { seed: 1, now: now() });
  const [chart] = (body as { chart: { result: { meta: object; events?: object }[] } }).chart.result;
  const date = Date.parse('2026-08-31T13:30:00Z') / 1000;
  Object.assign(chart!.meta, { longName: 'Apple Inc.', shortName: 'Apple Inc.', exchangeName: 'NMS' });
  chart!.events = { splits: { [date]: { date, numerator: 4, denominator: 1, splitRatio: '4:1' } } };
  const gate = makeGate();
  let charts = 0;
  const yahoo = await startStandinYahoo({
    now,
    recordings: [{ path: '/v8/finance/chart/AAPL', status: 200, bodyJson: body }],
    // The first chart verifies it, the second one is for its job.
    before: (target) => (target.includes('/chart/BRK-B') && ++charts > 1 ? gate.pass() : undefined),
  });
  onTestFinished(() => yahoo.close());
  return { ...yahoo, asked: gate.reached, answer: gate.open };
}

/** How the service is, and what it says of itself. */
async function readReference({ ask, note }: Recorder): Promise<void> {
  await ask('getIndex', 'GET /');
  await ask('getLive', 'GET /health/live');
  await ask('getReady', 'GET /health/ready');
  await ask('getPortfolioTemplate', 'GET /portfolios/template.csv');
  await ask('getMetrics', 'GET /metrics', {
    cut: (text: string) => text.match(/^(# \w+ )?onboarding_depth .*\n/gm)!.join(''),
  });
  const parameters = { code: 'queue_full' };
  const cut = ({ problems }: { problems: ProblemEntry[] }) => ({
    problems: problems.filter(({ code }) => code === parameters.code),
  });
  const { problems } = cut(await ask('listProblems', 'GET /problems', { cut }));
  note('listProblems', 'pages', { 200: catalogPage(problems) });
  await ask('getProblem', 'GET /problems/{code}', { parameters });
  await ask('getProblem', 'GET /problems/{code}', { parameters, accept: 'text/html' });
  // Not asked for: a route that is recorded for the first time has no example yet, and the document insists on one.
  const empty = { routes: [], examples: {}, problems: {}, version: manifest.version, protected: false };
  const { openapi, info } = describeApi(empty);
  const { asyncapi, info: feed } = describeFeed(empty);
  const headOf = ({ title, version }: { title: string; version: string }) => ({ title, version });
  note('getApiDocument', 'answers', { 200: { openapi, info: headOf(info), paths: {} } });
  note('getFeedDocument', 'answers', { 200: { asyncapi, info: headOf(feed), channels: {} } });
  note('getDiagnosis', 'answers', { 200: diagnosis() });
  const { ticket } = await ask<{ ticket: string }>('createTicket', 'POST /tickets');
  for (const operationId of ['watch', 'inspect']) note(operationId, 'parameters', { ticket });
}

/** As the checks judge what they may see. That of a test would find that its database has no directory. */
function diagnosis() {
  const applied = ['1', '2', '3'];
  const database = judgeDatabase({
    version: '18.4',
    embedded: false,
    answerMs: 1,
    applied,
    expected: applied,
  });
  const proxies = judgeProxies({ session: '2026-11-20', latest: '2026-11-19', bars: null, wanted: [] });
  const findings = [
    { name: 'database', ...database, duration_ms: 6 },
    { name: 'proxies', ...proxies, duration_ms: 3 },
  ];
  return { verdict: worst(findings), node, checked_at: '2026-11-22T18:49:00.000Z', findings };
}

const options = { name: 'Mine', base_currency: 'USD' };

async function uploadCsv({ ask }: Recorder): Promise<Uploaded> {
  const body = { type: 'text/csv', value: csv };
  const rest = { ...options, allow_duplicates: 'false' };
  await ask('uploadPortfolio', 'POST /portfolios', { parameters: { ...rest, dry_run: 'true' }, body });
  const parameters = { 'idempotency-key': '8e03978e-40d5-43dd-bc93-6894a57f9324', ...rest, dry_run: 'false' };
  return ask<Uploaded>('uploadPortfolio', 'POST /portfolios', { parameters, body });
}

async function uploadAgain({ ask }: Recorder): Promise<void> {
  const json = { type: 'application/json', value: { ...options, positions } };
  await ask('uploadPortfolio', 'POST /portfolios', { body: json });
  const form = { type: 'multipart/form-data', value: { file: csv, ...options } };
  await ask('uploadPortfolio', 'POST /portfolios', { body: form });
}

async function readPortfolio({ ask }: Recorder, id: string): Promise<void> {
  const parameters = { id };
  await ask('listPortfolios', 'GET /portfolios', { parameters: { limit: 50 } });
  await ask('getPortfolio', 'GET /portfolios/{id}', { parameters });
  await ask('listPositions', 'GET /portfolios/{id}/positions', { parameters: { id, limit: 1000 } });
  await ask('listSnapshots', 'GET /portfolios/{id}/snapshots', { parameters: { id, limit: 100 } });
  await ask('listPortfolioExposures', 'GET /portfolios/{id}/exposures', { parameters });
}

async function readSymbols({ ask }: Recorder): Promise<void> {
  const symbol = 'AAPL';
  const day = '2026-11-20';
  await ask('searchSymbols', 'GET /symbols', { parameters: { query: 'apple', limit: 50 } });
  await ask('listSymbolStatuses', 'GET /symbols/status', { parameters: { symbols: [symbol, 'BRK-B'] } });
  await ask('getSymbolStatus', 'GET /symbols/{symbol}/status', { parameters: { symbol } });
  await ask('getSymbol', 'GET /symbols/{symbol}', { parameters: { symbol } });
  await ask('listPrices', 'GET /symbols/{symbol}/prices', { parameters: { symbol, from: day, to: day } });
  await ask('listExposures', 'GET /symbols/{symbol}/exposures', { parameters: { symbol, date: day } });
}

async function readActors({ ask }: Recorder, id: string): Promise<void> {
  const status = ['pending', 'processing'];
  await ask('getJob', 'GET /onboarding/jobs/{id}', { parameters: { id } });
  await ask('listActors', 'GET /onboarding/actors', { parameters: { status, symbol: 'BRK-B', limit: 100 } });
  await ask('getActor', 'GET /onboarding/actors/{id}', { parameters: { id, at: 3 } });
}

/** A job fails; an operator retries it while none is begun, and cancels it. */
async function operate({ ask }: Recorder, service: TestService, breakIt: () => void): Promise<void> {
  await service.post('/onboarding/pause');
  await service.post('/symbols/TSLA/onboarding');
  breakIt();
  await service.post('/onboarding/resume');
  await service.transition(({ symbol, to }) => symbol === 'TSLA' && to === 'failed');
  await service.post('/onboarding/pause');
  const { job_id: id, created_at } = await service.job('TSLA');
  const near = (ms: number) => new Date(Date.parse(created_at) + ms).toISOString();
  await ask('listJobs', 'GET /onboarding/jobs', {
    parameters: {
      ...{ status: ['failed', 'cancelled'], symbol: 'TSLA', error_code: 'no_price_data', reason: 'manual' },
      ...{ created_from: near(-1000), created_to: near(60_000), limit: 50 },
    },
  });
  await ask('retryJob', 'POST /onboarding/jobs/{id}/retry', { parameters: { id } });
  await ask('cancelJob', 'POST /onboarding/jobs/{id}/cancel', { parameters: { id } });
}
