import { expect, onTestFinished, test } from 'vitest';
import { lastNewYorkSession } from '../../src/market/sessions.ts';
import { startNode } from '../onboarding/fixture.ts';
import { csvOfLots } from '../support/csv.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { failedReads } from '../support/every-read.ts';
import { fillLarge, large } from '../support/large-database.ts';
import { explained, outline, type Run } from '../support/plans.ts';
import { startService, type TestService, type Uploaded } from '../support/service.ts';

const settings = {
  ONBOARDING_QUEUE_DEPTH: '4500',
  ONBOARDING_CONCURRENCY: '1',
  ONBOARDING_CLUSTER_CONCURRENCY: '2',
  REFRESH: 'on',
};

/** Makes a service send nearly every statement that it has. */
async function askForEverything(service: TestService): Promise<void> {
  // A new one, one that fails, one that needs a rate, and one that is ready.
  const csv = csvOfLots([
    { symbol: 'NEW1', quantity: '1', price: '10' },
    { symbol: 'FAILS1', quantity: '1', price: '10' },
    { symbol: 'VOD.L', quantity: '1', price: '10' },
    { symbol: large.popular, quantity: '1', price: '10' },
  ]);
  await service.upload(csv, 'name=dry&dry_run=true');
  const key = { 'idempotency-key': 'key-1' };
  const { portfolio_id: portfolio } = (await service.upload<Uploaded>(csv, 'name=test', key)).body;
  await service.upload(csv, 'name=test', key);
  await service.settled(portfolio);
  await service.transition(({ symbol, to }) => symbol === large.popular && to === 'completed');
  const { job_id: job } = await service.job('NEW1');
  for (const about of [
    { portfolio, symbol: 'NEW1', job },
    { portfolio: large.waitingPortfolio, symbol: large.waiting, job: large.waitingJob },
    { portfolio: large.portfolio, symbol: large.popular, job: large.failedJob },
  ]) {
    expect(await failedReads(service, about)).toEqual([]);
  }
  for (const filter of [
    'outcome=partial',
    'error_code=no_price_data',
    'reason=manual',
    'created_from=2026-01-01',
  ]) {
    await service.get(`/onboarding/jobs?${filter}`);
  }
  await service.post('/symbols/ALONE1/onboarding');
  await service.post('/onboarding/pause');
  const { job_id: failed } = await service.job('FAILS1');
  await service.post(`/onboarding/jobs/${failed}/retry`);
  await service.post(`/onboarding/jobs/${failed}/cancel`);
  await service.post('/onboarding/resume');
  await service.post('/tickets');
  await service.send('DELETE', `/portfolios/${portfolio}`);
}

// One full read each, where an index would cost every write more than it saves.
const readEverything = [
  {
    text: 'count(*)::int as lots from positions p join symbol_universe',
    why: 'the diagnosis, when a person asks',
  },
  { text: 'from portfolio_rates group by symbol', why: 'the upkeep, every five minutes' },
  { text: 'strpos(symbol, upper($1))', why: 'a search in the middle of names' },
];
const mostWork = large.rows * 0.3;

describeOnDatabase('postgres', 'with 100,000 rows of everything', (makeDatabase) => {
  test('no statement reads a whole table', async () => {
    const empty = await makeDatabase();
    const node = await startNode(empty);
    await node.queue.stop();
    await fillLarge(empty, lastNewYorkSession(Date.now()));
    await empty.sql('analyze');
    const { database, runs } = await explained(empty);
    onTestFinished(() => database.close());
    const service = await startService(database, { settings, faults: 'FAILS1=empty', isSound: false });
    await askForEverything(service);
    await service.app.close();

    const heaviest = new Map<string, Run>();
    for (const run of runs) if ((heaviest.get(run.text)?.work ?? -1) < run.work) heaviest.set(run.text, run);
    expect(heaviest.size).toBeGreaterThan(100);
    const heavy = [...heaviest.values()].filter(({ work }) => work > mostWork);
    const isKnown = (run: Run) => readEverything.some(({ text }) => run.text.includes(text));
    const unknown = heavy.filter((run) => !isKnown(run));
    expect(unknown.map((run) => `${run.work} rows: ${outline(run)}\n${run.text}`)).toEqual([]);
    for (const { text } of readEverything) {
      const works = heavy.filter((run) => run.text.includes(text)).map(({ work }) => work);
      expect(works.length, text).toBeGreaterThan(0);
      expect(Math.max(...works), text).toBeLessThan(5 * large.rows);
    }
  });
});
