import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { DryRunView, PositionInput, Problem, SnapshotView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { fingerprints } from '../support/rows.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const dry = 'dry_run=true';

/** Known symbols, one of them with a price that is weeks old. */
async function prepared(database: Database, depth: number): Promise<TestService> {
  const service = await startService(database, {
    settings: { ONBOARDING_QUEUE_DEPTH: String(depth), UPLOAD_RATE_LIMIT_PER_MINUTE: '0' },
    isSound: false, // the old price is no job's work
  });
  for (const symbol of ['KN1', 'KN2', 'KN.L', 'KN.DE', 'OLD']) {
    const { status, body } = await service.upload<Uploaded>(csvOf(symbol));
    if (status === 202) await service.settled(body.portfolio_id);
  }
  await database.sql(
    `update symbol_universe set last_price_date = last_price_date - 30, price_version = price_version + 1
     where symbol = 'OLD'`,
  );
  return service;
}

async function post(service: TestService, query: string, body: object) {
  const response = await fetch(`${service.url}/portfolios?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as unknown };
}

let runs = 0;
const fresh = fc.integer({ min: 0, max: 2 }).map((n) => `F${runs}X${n}`);
const symbol = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('KN1', 'KN2', 'KN.L', 'KN.DE', 'OLD') },
  { weight: 2, arbitrary: fc.constantFrom('JOIN1', 'JOIN.L', 'JOIN.T') },
  { weight: 2, arbitrary: fresh },
);
const rarely = <T>(often: fc.Arbitrary<T>, seldom: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 15, arbitrary: often }, { weight: 1, arbitrary: seldom });
const quantity = rarely(fc.constantFrom('10', '-3.5', '0.333333', '1000000'), fc.constant('0'));
const price = fc.constantFrom('0.000001', '1', '99.995', '123.456', '7250', '20000');
const currency = fc.constantFrom(null, null, null, 'USD', 'GBP', 'EUR', 'GBX');
const dates = fc.constantFrom(
  {},
  {},
  {},
  { exit_date: '2025-06-03' },
  { exit_date: '2025-06-03', exit_price: '3.21' },
);
const share = fc
  .tuple(rarely(symbol, fc.constantFrom('NOPE1', 'NOPE2')), quantity, price, currency, dates)
  .map(([symbol, quantity, entry_price, currency, dates]) => ({
    symbol,
    quantity,
    entry_price,
    currency,
    ...dates,
  }));
const option = fc.tuple(symbol, price).map(([underlying_symbol, entry_price]) => ({
  ...{ symbol: 'OPT', quantity: '2', entry_price, investment_class: 'OPTIONS', underlying_symbol },
  ...{ strike_price: '10', expiration_date: '2029-01-19', option_type: 'PUT' },
}));
const cash = fc.constantFrom('USD', 'EUR').map((symbol) => ({
  ...{ symbol, quantity: '12.345', entry_price: '1', investment_class: 'CASH' },
}));
const position: fc.Arbitrary<PositionInput> = fc
  .oneof({ weight: 8, arbitrary: share }, { weight: 1, arbitrary: option }, { weight: 1, arbitrary: cash })
  .map((row) => ({ entry_date: '2025-01-02', ...row }));
const portfolio = fc.record({
  positions: fc.array(position, { minLength: 1, maxLength: 7 }),
  base_currency: fc.constantFrom('USD', 'USD', 'GBP', 'JPY'),
  allow_duplicates: fc.constantFrom(true, true, false),
});

describeOnDatabase('pglite', 'a dry run and the upload after it', (makeDatabase) => {
  // Roomy: every verdict but a full queue. Tight: most portfolios do not fit, and three new symbols never do.
  test.each([100_000, 2])(
    'agree in everything, with a queue of %i',
    async (depth) => {
      const service = await prepared(await makeDatabase(), depth);
      await service.post('/onboarding/pause'); // no job may end between a dry run and its upload
      const seen = new Set<string>();
      const agree = async (body: object) => {
        runs += 1;
        const forecast = (await post(service, dry, body)) as { status: number; body: DryRunView };
        const real = await post(service, '', body);
        expect(forecast.status).toBe(200);
        seen.add(await compare(service, forecast.body, real));
      };
      await fc.assert(fc.asyncProperty(portfolio, agree), {
        numRuns: process.env.SOAK ? 1000 : 50,
        seed: 20261122,
      });
      const always = ['pending', 'ready', 'invalid_rows', 'invalid_symbols'];
      expect([...seen].sort()).toEqual(
        [...always, ...(depth === 2 ? ['queue_full', 'too_many_symbols'] : [])].sort(),
      );
    },
    600_000,
  );
});

/** Holds a forecast against what then happened; answers which of the verdicts it was. */
async function compare(service: TestService, forecast: DryRunView, real: { status: number; body: unknown }) {
  if (forecast.would === 'rejected' || forecast.would === 'queue_full') {
    const { retry_after_seconds, ...problem } = real.body as Problem;
    const { would, ...told } = forecast;
    // How long to wait is an estimate of the moment.
    const waits = would === 'queue_full' ? { retry_after_seconds: expect.any(Number) } : {};
    expect({ ...problem, retry_after_seconds }).toMatchObject({ ...told, ...waits });
    expect(real.status).toBe(would === 'rejected' ? 422 : 503);
    return problem.code;
  }
  const created = real.body as Uploaded;
  expect(real.status).toBe(forecast.would === 'ready' ? 201 : 202);
  const { pending_symbols, warnings, status } = created;
  const path = `/portfolios/${created.portfolio_id}`;
  const [first] = (await service.get<{ snapshots: SnapshotView[] }>(`${path}/snapshots`)).body.snapshots;
  const { lot_count } = await service.portfolio(created.portfolio_id);
  const stored = first ? { ...first, computed_at: expect.any(String) } : null;
  expect(forecast).toEqual({ would: status, lot_count, pending_symbols, warnings, snapshot: stored });
  return status;
}

describeOnEveryDatabase('a dry run', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('writes nothing, whatever it says', async () => {
    const service = await prepared(database, 3);
    const before = await fingerprints(database);
    const verdicts = [
      csvOf('KN1'),
      csvOf('KN1', 'NEVER'),
      csvOf('NOPE1'),
      csvOf('A1', 'A2', 'A3', 'A4'),
      'nonsense',
    ];
    const would: string[] = [];
    for (const csv of verdicts) would.push((await service.upload<DryRunView>(csv, dry)).body.would);
    expect(would).toEqual(['ready', 'pending', 'rejected', 'rejected', 'rejected']);
    expect(await fingerprints(database)).toEqual(before);
    expect(before['public.portfolios']).toMatch(/^[1-9]/);
  });

  test('tells while the queue is full what would be refused and what would not', async () => {
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const settings = { ONBOARDING_QUEUE_DEPTH: '1', SHUTDOWN_GRACE_MS: '0' };
    const service = await startService(database, { provider, settings });
    const held = provider.hold('HELD');
    const { body } = await service.upload<Uploaded>(csvOf('HELD'));
    await held.reached;

    expect(await service.upload(csvOf('MORE'), dry)).toMatchObject({
      status: 200,
      body: { would: 'queue_full', depth: 1, limit: 1, needed: 1, retry_after_seconds: expect.any(Number) },
    });
    expect((await service.upload<DryRunView>(csvOf('HELD'), dry)).body).toMatchObject({
      would: 'pending',
      pending_symbols: ['HELD'],
      snapshot: null,
    });
    held.open();
    await service.settled(body.portfolio_id);
  });

  test('is 503 while the provider gives no verdict, and saves nothing', async () => {
    const service = await startService(database, { faults: 'UNSURE=lookup-timeout' });
    const answer = await service.upload<Problem>(csvOf('UNSURE'), dry);
    expect(answer).toMatchObject({ status: 503, body: { code: 'symbols_unverifiable' } });
  });
});

describeOnDatabase('postgres', 'a dry run on several connections', (makeDatabase) => {
  test('waits for nobody: not for the admission, not for a row', async () => {
    const database = await makeDatabase();
    const service = await prepared(database, 3);
    const release = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const holding = database.transaction(async (on) => {
      await database.sql('select pg_advisory_xact_lock(727275)', [], { on });
      for (const table of ['symbol_universe', 'onboarding_jobs', 'portfolios', 'feed_head']) {
        await database.sql(`select 1 from ${table} for update`, [], { on });
      }
      locked.resolve();
      await release.promise;
    });
    await locked.promise;
    const answers = await Promise.all(
      [csvOf('KN1'), csvOf('OLD', 'NEVER')].map((csv) => service.upload(csv, dry)),
    );
    release.resolve();
    await holding;
    expect(answers).toMatchObject([
      { status: 200, body: { would: 'ready', snapshot: { position_count: 1 } } },
      { status: 200, body: { would: 'pending', pending_symbols: ['NEVER', 'OLD'] } },
    ]);
  });
});
