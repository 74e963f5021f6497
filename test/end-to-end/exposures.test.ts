import Big from 'big.js';
import { beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';
import type {
  exposuresSchema,
  LotView,
  PortfolioView,
  portfolioExposuresSchema,
} from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { factors } from '../../src/factors/factor-catalog.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { startService, type TestService, type Uploaded } from '../support/service.ts';

type PortfolioExposures = z.infer<typeof portfolioExposuresSchema>;
type Rows = z.infer<typeof exposuresSchema>['exposures'];

const header =
  'Symbol,Quantity,Entry Price Per Share,Entry Date,Investment Class,Exit Date,Exit Price Per Share';
const csv = (...lots: string[]) => [header, ...lots].join('\n');

const add = (amounts: readonly Big[]) => amounts.reduce((sum, one) => sum.plus(one), Big(0));
const cents = (amount: Big) =>
  amount
    .round(2, Big.roundHalfUp)
    .toFixed(2)
    .replace(/^-0\.00$/, '0.00');

/** What the positions and the symbols' own exposures say, lot by lot. */
async function computed(service: TestService, id: string) {
  const { body } = await service.get<{ positions: LotView[] }>(`/portfolios/${id}/positions`);
  const priced = body.positions.filter(({ disposition }) => disposition === 'priced');
  const rows = new Map<string, Rows>();
  for (const { symbol, class: kind } of priced) {
    if (kind === 'CASH') continue; // USD is the name of a fund, too
    rows.set(symbol, (await service.get<{ exposures: Rows }>(`/symbols/${symbol}/exposures`)).body.exposures);
  }
  const lots = priced.map(({ symbol, class: kind, market_value }) => ({
    value: Big(market_value!),
    rows: kind === 'CASH' ? [] : rows.get(symbol)!,
  }));
  const total = add(lots.map(({ value }) => value.abs()));
  const per = factors.map(({ id: factor }) => {
    const found = lots.map(({ value, rows }) => ({ value, row: rows.find((one) => one.factor === factor) }));
    const of = (...wanted: string[]) => found.filter(({ row }) => wanted.includes(row?.quality ?? 'none'));
    const dollars = (some: typeof found) => add(some.map(({ value, row }) => value.times(String(row!.beta))));
    const gross = (some: typeof found) => add(some.map(({ value }) => value.abs()));
    const measured = of('full_history', 'limited_history');
    const net = add(measured.map(({ value }) => value));
    const share = (quality: string) => gross(of(quality)).div(total).toNumber();
    return {
      factor,
      dollar: dollars(measured),
      assumed: dollars(of('default')),
      gross: gross(measured),
      net,
      shares: {
        full_history: share('full_history'),
        limited_history: share('limited_history'),
        default: share('default'),
        not_applicable: share('none'),
      },
    };
  });
  return { total, per };
}

async function compare(service: TestService, id: string): Promise<PortfolioExposures> {
  const { body } = await service.get<PortfolioExposures>(`/portfolios/${id}/exposures`);
  const { total, per } = await computed(service, id);
  expect(body.gross_value).toBe(cents(total));
  expect(body.exposures.map(({ factor }) => factor)).toEqual(factors.map(({ id }) => id));
  for (const [at, expected] of per.entries()) {
    const row = body.exposures[at]!;
    expect(row).toMatchObject({
      dollar_exposure: cents(expected.dollar),
      assumed_dollar_exposure: cents(expected.assumed),
      measured_gross_value: cents(expected.gross),
      measured_net_value: cents(expected.net),
    });
    if (expected.gross.gt(0)) {
      expect(row.beta_gross).toBeCloseTo(expected.dollar.div(expected.gross).toNumber(), 12);
    } else expect(row.beta_gross).toBeNull();
    if (row.beta_net_reason === null) {
      expect(row.beta_net).toBeCloseTo(expected.dollar.div(expected.net).toNumber(), 12);
    } else expect(row.beta_net).toBeNull();
    for (const [quality, share] of Object.entries(expected.shares)) {
      expect(Number(row.gross_shares[quality as keyof typeof row.gross_shares])).toBeCloseTo(share, 5);
    }
  }
  return body;
}

describeOnEveryDatabase('the exposures of a portfolio', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const settled = async (service: TestService, ...lots: string[]): Promise<PortfolioView> => {
    const { body } = await service.upload<Uploaded>(csv(...lots));
    return service.settled(body.portfolio_id);
  };

  test('are what its lots and the exposures of its symbols say, to the cent', async () => {
    const service = await startService(database);
    const portfolio = await settled(
      service,
      'AAPL,10.123456,100,2025-01-02,,,',
      'AAPL,-3.5,100,2025-02-03,,,',
      'TSLA,-40,248.55,2025-01-02,,,',
      'NEW50,70,10,2025-01-02,,,', // short: limited, its spreads placeholders
      'NEW13,33,10,2025-01-02,,,', // too short: placeholders only
      'SAP.DE,5,100,2025-01-02,,,', // in euros: no rate, no value
      'MSFT,5,100,2025-01-02,,2025-03-03,120', // closed
      'HOUSE,1,250000,2025-01-02,PRIVATE,,',
      'USD,1500,1,2025-01-02,CASH,,',
    );
    const body = await compare(service, portfolio.portfolio_id);
    expect(body).toMatchObject({
      base_currency: 'USD',
      gross_value: portfolio.snapshot!.gross_exposure,
      net_value: portfolio.snapshot!.net_exposure,
      notes: expect.arrayContaining([expect.stringContaining('must not be added')]),
    });
    const [market] = body.exposures;
    expect(Number(market!.assumed_dollar_exposure)).toBeGreaterThan(0);
    for (const quality of ['full_history', 'limited_history', 'default', 'not_applicable'] as const) {
      expect(Number(market!.gross_shares[quality])).toBeGreaterThan(0);
    }
    expect(body.exposures.at(-1)!.gross_shares.limited_history).toBe('0.000000');
  });

  test('have no net beta where long and short nearly cancel, exactly at a tenth', async () => {
    const service = await startService(database);
    const betaOf = async (...lots: string[]) => {
      const { portfolio_id } = await settled(service, ...lots);
      return (await compare(service, portfolio_id)).exposures[0]!;
    };
    // (11 - 9) / (11 + 9) is a tenth: near zero is less than that.
    const tenth = await betaOf('AAPL,11,100,2025-01-02,,,', 'AAPL,-9,100,2025-01-03,,,');
    expect(tenth).toMatchObject({ beta_net: expect.any(Number), beta_net_reason: null });
    for (const long of ['10.9', '9', '7.4']) {
      const near = await betaOf(`AAPL,${long},100,2025-01-02,,,`, 'AAPL,-9,100,2025-01-03,,,');
      expect(near).toMatchObject({ beta_net: null, beta_net_reason: 'net_near_zero' });
      expect(near.beta_gross).not.toBeNull();
    }
    const short = await betaOf('AAPL,-9,100,2025-01-03,,,');
    expect(short.beta_net).toBeCloseTo(-short.beta_gross!, 12);
  });

  test('are none without a priced lot, and not measured without a measured one', async () => {
    const service = await startService(database);
    const none = await settled(service, 'HOUSE,1,250000,2025-01-02,PRIVATE,,');
    expect((await service.get(`/portfolios/${none.portfolio_id}/exposures`)).body).toMatchObject({
      gross_value: null,
      net_value: null,
      oldest_calculation_date: null,
      exposures: [],
    });
    const rich = await settled(service, 'USD,1500,1,2025-01-02,CASH,,');
    const { exposures } = await compare(service, rich.portfolio_id);
    expect(exposures[0]).toMatchObject({
      dollar_exposure: '0.00',
      beta_gross: null,
      beta_net_reason: 'nothing_measured',
      gross_shares: { not_applicable: '1.000000' },
    });
  });

  test("are nobody else's, and those of a named fund are not its namesake's cash", async () => {
    const service = await startService(database);
    const fund = await settled(service, 'USD,10,50,2025-01-02,PUBLIC,,');
    const rich = await settled(service, 'USD,1500,1,2025-01-02,CASH,,');
    expect((await compare(service, fund.portfolio_id)).exposures[0]!.beta_gross).not.toBeNull();
    expect((await compare(service, rich.portfolio_id)).exposures[0]!.beta_gross).toBeNull();
    const { portfolios } = service.app.service;
    expect(await portfolios.exposures(fund.portfolio_id, { name: 'eve', role: 'user' })).toBeNull();
    const missing = '0199a000-0000-7000-8000-0000000000ff';
    expect(await portfolios.exposures(missing, { name: 'local', role: 'operator' })).toBeNull();
  });
});
