import Big from 'big.js';
import { beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';
import type { PortfolioView, positionsSchema } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { csvOfLots } from '../support/csv.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const positionsOf = async (service: TestService, id: string) =>
  (await service.get<z.infer<typeof positionsSchema>>(`/portfolios/${id}/positions`)).body.positions;

const jobsOf = async (service: TestService, symbol: string) =>
  (await service.get<{ jobs: { status: string }[] }>(`/onboarding/jobs?symbol=${symbol}`)).body.jobs;

async function uploaded(service: TestService, csv: string): Promise<PortfolioView> {
  const { status, body } = await service.upload<Uploaded>(csv);
  expect(status).toBe(202);
  return service.settled(body.portfolio_id);
}

describeOnEveryDatabase('what the original got wrong about lots', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('two lots of one symbol are both valued, and it is onboarded once', async () => {
    const service = await startService(database);
    const portfolio = await uploaded(
      service,
      csvOfLots([
        { symbol: 'TWIN', quantity: '10', price: '90' },
        { symbol: 'TWIN', quantity: '2.5', price: '110.25' },
      ]),
    );

    const [first, second] = await positionsOf(service, portfolio.portfolio_id);
    expect(first!.last_close).toBe(second!.last_close);
    expect(portfolio.snapshot).toMatchObject({
      position_count: 2,
      total_value: new Big(first!.last_close!).times('12.5').toFixed(2),
      total_cost: '1175.63', // 10 x 90 + 2.5 x 110.25 = 1175.625
    });
    expect(service.app.provider.requests().histories.TWIN).toBe(1);
  });

  test('a symbol in lower case is the same symbol', async () => {
    const service = await startService(database);
    const csv = csvOfLots([
      { symbol: 'lower.b', quantity: '1', price: '90' },
      { symbol: ' Lower/B ', quantity: '2', price: '90' },
      { symbol: 'LOWER-B', quantity: '3', price: '90' },
    ]);
    const { body } = await service.upload<Uploaded>(csv);
    expect(body.pending_symbols).toEqual(['LOWER-B']);

    const portfolio = await service.settled(body.portfolio_id);
    expect(portfolio).toMatchObject({ status: 'ready', symbols: [{ symbol: 'LOWER-B', status: 'ready' }] });
    expect(portfolio.snapshot).toMatchObject({ position_count: 3 });
    expect((await service.get('/symbols/lower.b/status')).body).toMatchObject({
      symbol: 'LOWER-B',
      status: 'ready',
    });
    expect(service.app.provider.requests().histories['LOWER-B']).toBe(1);
    expect(await service.upload(csvOf('lower-B'))).toMatchObject({ status: 201 });
  });

  test('closed, private and cash rows ask the provider nothing, and the upload is ready at once', async () => {
    const service = await startService(database);
    const upload = await service.upload<Uploaded>(
      csvOfLots([
        { symbol: 'NOPE-SOLD', quantity: '7', price: '10', exitDate: '2025-02-03', exitPrice: '12.505' },
        { symbol: 'NOPE-FUND', quantity: '1', price: '5000', class: 'PRIVATE' },
        { symbol: 'USD', quantity: '250.75', price: '1', class: 'CASH' },
      ]),
    );

    expect(upload).toMatchObject({ status: 201, body: { status: 'ready', pending_symbols: [] } });
    const portfolio = await service.portfolio(upload.body.portfolio_id);
    expect(portfolio).toMatchObject({
      status: 'ready',
      symbols: [],
      snapshot: {
        total_value: '250.75',
        position_count: 1,
        unpriced_count: 1,
        realized_pnl: '17.54', // 7 x 2.505 = 17.535
        is_complete: true,
      },
    });
    expect(service.app.provider.requests()).toMatchObject({ lookup: 0, history: 0 });
  });

  test('an option has its underlying onboarded, and is never valued at its price', async () => {
    const service = await startService(database);
    const option = { class: 'OPTIONS', underlying: 'under', strike: '100', type: 'CALL' };
    const portfolio = await uploaded(
      service,
      csvOfLots([
        { symbol: 'UNDER290119C00100000', quantity: '3', price: '4.2', expiration: '2029-01-19', ...option },
        { symbol: 'USD', quantity: '10', price: '1', class: 'CASH' },
      ]),
    );

    expect(portfolio).toMatchObject({
      status: 'ready',
      symbols: [{ symbol: 'UNDER', status: 'ready' }],
      snapshot: { total_value: '10.00', position_count: 1, unpriced_count: 1, pending_count: 0 },
    });
    const [lot] = await positionsOf(service, portfolio.portfolio_id);
    expect(lot).toMatchObject({
      disposition: 'unpriced',
      multiplier: 100,
      market_value: null,
      pnl: null,
      last_close: null,
      cost: '1260',
    });
    const { lookups, histories } = service.app.provider.requests();
    expect(lookups).toEqual({ UNDER: 1 });
    expect(Object.keys(histories)).not.toContain('UNDER290119C00100000');
    expect(histories.UNDER).toBe(1);
    // The history of totals must not go on calling it pending.
    const { body } = await service.get<{ snapshots: unknown[] }>(
      `/portfolios/${portfolio.portfolio_id}/snapshots`,
    );
    expect(body.snapshots[0]).toEqual(portfolio.snapshot);
  });

  test('a short that gains has a positive percentage, one that loses a negative one', async () => {
    const service = await startService(database);
    const shortOfTen = async (price: string) => {
      const csv = csvOfLots([{ symbol: 'SHORT', quantity: '-10', price }]);
      const { body } = await service.upload<Uploaded>(csv);
      return (await service.settled(body.portfolio_id)).snapshot!;
    };
    const gaining = await shortOfTen('100000');
    const losing = await shortOfTen('0.01');

    const { body: symbol } = await service.get<{ last_price: string }>('/symbols/SHORT');
    const value = new Big(symbol.last_price).times(-10);
    expect(gaining).toMatchObject({
      total_value: value.toFixed(2),
      total_cost: '-1000000.00',
      long_value: '0.00',
      short_value: gaining.total_value,
      net_exposure: gaining.total_value,
      gross_exposure: value.abs().toFixed(2),
    });
    expect(Number(gaining.total_pnl)).toBeGreaterThan(0);
    expect(Number(gaining.pnl_percent)).toBeGreaterThan(0);
    expect(Number(losing.total_pnl)).toBeLessThan(0);
    expect(Number(losing.pnl_percent)).toBeLessThan(0);
    expect(losing.pnl_percent).toBe(value.plus('0.1').div('0.1').times(100).toFixed(4));
  });
});

describeOnEveryDatabase('what the original got wrong about jobs', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('an inactive universe row is onboarded again, and not called ready before that', async () => {
    const first = await startService(database);
    const before = await uploaded(first, csvOf('RETURN'));
    await first.app.close();
    await database.sql(`update symbol_universe set is_active = false where symbol = 'RETURN'`);

    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const fetching = provider.hold('RETURN');
    const service = await startService(database, { provider });
    expect((await service.get('/symbols/RETURN/status')).body).toMatchObject({ status: 'unknown' });
    const { status, body } = await service.upload<Uploaded>(csvOf('RETURN'));
    expect({ status, pending: body.pending_symbols }).toEqual({ status: 202, pending: ['RETURN'] });
    await fetching.reached;
    expect((await service.get('/symbols/RETURN/status')).body).toMatchObject({ status: 'processing' });
    expect(await service.portfolio(body.portfolio_id)).toMatchObject({ snapshot: null });

    fetching.open();
    expect(await service.settled(body.portfolio_id)).toMatchObject({
      status: 'ready',
      snapshot: { total_value: before.snapshot!.total_value },
    });
    expect((await jobsOf(service, 'RETURN')).map((job) => job.status)).toEqual(['completed', 'completed']);
  });

  test('a failed job does not block a new one, which mends every portfolio that waits for the symbol', async () => {
    const service = await startService(database, { faults: 'AGAIN=empty:1' });
    const failed = await uploaded(service, csvOf('AGAIN'));
    expect(failed).toMatchObject({ status: 'error', snapshot: null });

    const mended = await uploaded(service, csvOf('AGAIN'));

    expect(mended).toMatchObject({ status: 'ready', snapshot: { position_count: 1 } });
    expect(await service.portfolio(failed.portfolio_id)).toMatchObject({
      status: 'ready',
      snapshot: { total_value: mended.snapshot!.total_value, is_complete: true, unpriced_count: 0 },
    });
    expect((await jobsOf(service, 'AGAIN')).map((job) => job.status)).toEqual(['completed', 'failed']);
  });

  test('two uploads one after the other share the job of an unknown symbol', async () => {
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const service = await startService(database, { provider });
    const fetching = provider.hold('SHARED');
    const first = await service.upload<Uploaded>(csvOf('SHARED', 'OWN1'));
    await fetching.reached;
    const second = await service.upload<Uploaded>(csvOf('OWN2', 'SHARED'));
    expect(second.body.pending_symbols).toEqual(['OWN2', 'SHARED']);
    fetching.open();

    for (const { body } of [first, second]) {
      expect(await service.settled(body.portfolio_id)).toMatchObject({
        status: 'ready',
        snapshot: { position_count: 2, is_complete: true },
      });
    }
    expect(await jobsOf(service, 'SHARED')).toHaveLength(1);
    expect(service.app.provider.requests().histories.SHARED).toBe(1);
  });

  test('uploads at the same moment share their jobs, whatever the order of their rows', async () => {
    const service = await startService(database);
    const orders = [
      ['CROSS1', 'CROSS2', 'CROSS3'],
      ['CROSS3', 'CROSS2', 'CROSS1'],
      ['CROSS2', 'CROSS3', 'CROSS1'],
      ['CROSS3', 'CROSS1'],
    ];
    const answers = await Promise.all(orders.map((symbols) => service.upload<Uploaded>(csvOf(...symbols))));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);

    const portfolios = await Promise.all(answers.map(({ body }) => service.settled(body.portfolio_id)));

    expect(portfolios.map(({ snapshot }) => snapshot?.position_count)).toEqual([3, 3, 3, 2]);
    expect(new Set(portfolios.slice(0, 3).map(({ snapshot }) => snapshot!.total_value)).size).toBe(1);
    for (const symbol of orders[0]!) {
      expect(await jobsOf(service, symbol)).toHaveLength(1);
      expect(service.app.provider.requests().histories[symbol]).toBe(1);
    }
  });
});
