import { expect, test } from 'vitest';
import type { z } from 'zod';
import type { LotView, PortfolioView, portfolioExposuresSchema } from '../../src/contract/schemas.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import type { MarketDataProvider } from '../../src/market/provider.ts';
import { parseFaults } from '../../src/market/simulated/faults.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { csvOfLots } from '../support/csv.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const lotsOf = async (service: TestService, id: string) =>
  (await service.get<{ positions: LotView[] }>(`/portfolios/${id}/positions`)).body.positions;

describeOnEveryDatabase('a portfolio in several currencies', (makeDatabase) => {
  test('is pending until a rate has come of which nobody knew at the upload, never settled in between', async () => {
    const inner = simulatedProvider({ clock: systemClock });
    // This one vouches for symbols and says no more of them, as Yahoo may: the currency comes with the prices.
    const silent: MarketDataProvider = {
      ...inner,
      lookup: async (symbols, options) =>
        (await inner.lookup(symbols, options)).map((one) =>
          one.verdict === 'valid' ? { ...one, instrument: null } : one,
        ),
    };
    const provider = gatedProvider(silent);
    const rate = provider.hold('EURUSD=X');
    const service = await startService(await makeDatabase(), { provider });
    const { body } = await service.upload<Uploaded>(csvOf('SAP.DE', 'AAPL'));
    expect(body.pending_symbols).toEqual(['AAPL', 'SAP.DE']);
    await service.transition(({ symbol, to }) => symbol === 'SAP.DE' && to === 'completed');
    await rate.reached;
    const between = await service.portfolio(body.portfolio_id);
    expect(between).toMatchObject({
      status: 'pending',
      snapshot: { missing_fx_count: 1, is_complete: false },
    });
    const [waiting] = await lotsOf(service, body.portfolio_id);
    expect(waiting).toMatchObject({ disposition: 'missing_fx', market_value: null, fx_value: null });
    expect(waiting!.reason).toMatch(
      /^The exchange rate from EUR to USD on or before \d{4}-\d\d-\d\d is being fetched\.$/,
    );

    rate.open();
    const view = await service.settled(body.portfolio_id);
    expect(view).toMatchObject({ status: 'ready', snapshot: { missing_fx_count: 0, position_count: 2 } });
    expect(view.symbols.map(({ symbol }) => symbol)).toEqual(['AAPL', 'EURUSD=X', 'SAP.DE']);
    const { body: exposures } = await service.get<z.infer<typeof portfolioExposuresSchema>>(
      `/portfolios/${body.portfolio_id}/exposures`,
    );
    expect(exposures).toMatchObject({ base_currency: 'USD', gross_value: view.snapshot!.gross_exposure });
  });

  test('says which rate is missing where nobody quotes it, and is mended by a retry', async () => {
    const provider = simulatedProvider({ clock: systemClock, faults: parseFaults('USDSEK=X=empty:1') });
    const service = await startService(await makeDatabase(), { provider });
    const lots = [
      { symbol: 'AAPL', quantity: '1', price: '10' },
      { symbol: 'AAPL', quantity: '1', price: '99', currency: 'SEK' },
    ];
    const { body } = await service.upload<Uploaded>(csvOfLots(lots));
    const view = await service.settled(body.portfolio_id);
    expect(view).toMatchObject({
      status: 'partial',
      snapshot: { missing_fx_count: 1, position_count: 1, coverage: null },
    });
    const [, lot] = await lotsOf(service, body.portfolio_id);
    expect(lot).toMatchObject({
      fx_value: '1',
      fx_cost: null,
      reason: 'There is no exchange rate from SEK to USD on or before 2025-01-02.',
    });
    const job = await service.job('USDSEK=X');
    expect(job).toMatchObject({ status: 'failed', error: { code: 'no_price_data' } });
    await service.post(`/onboarding/jobs/${job.job_id}/retry`);
    await service.transition(({ symbol, to }) => symbol === 'USDSEK=X' && to === 'completed');
    const mended = await service.get<PortfolioView>(`/portfolios/${body.portfolio_id}`);
    expect(mended.body).toMatchObject({
      status: 'ready',
      snapshot: { missing_fx_count: 0, coverage: '1.000000' },
    });
  });
});
