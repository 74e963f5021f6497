import { expect, test } from 'vitest';
import type { DryRunView, LotView, PortfolioView, Remark } from '../../src/contract/schemas.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { addDays } from '../../src/market/sessions.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { csvOfLots } from '../support/csv.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { startService, type Uploaded } from '../support/service.ts';

const daysAgo = (days: number) => addDays(new Date().toISOString().slice(0, 10), -days);

// In the simulated market SPLIT300 split 10 for 1 three hundred weekdays ago: before the year of bars that is kept.

describeOnEveryDatabase('a split since the entry of a lot', (makeDatabase) => {
  test('is told on the lot, of the portfolio and in a dry run, however long ago it was', async () => {
    const database = await makeDatabase();
    let service = await startService(database);
    const lot = { symbol: 'SPLIT300', quantity: '10', price: '1200' };
    const late = await service.upload<Uploaded>(csvOfLots([{ ...lot, date: daysAgo(200) }]));
    const untouched = await service.settled(late.body.portfolio_id);
    expect(untouched.warnings).toEqual([]);

    // Known, but only for a year: nobody waits, and the split is asked for by itself.
    const { status, body } = await service.upload<Uploaded>(csvOfLots([{ ...lot, date: daysAgo(600) }]));
    expect({ status, pending: body.pending_symbols }).toEqual({ status: 201, pending: [] });
    await service.app.close();
    service = await startService(database);
    await service.transition((one) => one.symbol === 'SPLIT300' && one.to === 'completed');
    expect(await service.job('SPLIT300')).toMatchObject({ reason: 'refresh' });
    const portfolio = await service.settled(body.portfolio_id);
    expect(portfolio).toMatchObject({
      status: 'ready',
      warnings: [
        { code: 'split_since_entry', message: expect.stringContaining('SPLIT300 split 10 for 1 on ') },
      ],
    });
    const path = `/portfolios/${body.portfolio_id}/positions`;
    const { positions } = (await service.get<{ positions: LotView[] }>(path)).body;
    expect(positions[0]!.warnings).toEqual([
      { code: 'split_since_entry', message: expect.stringContaining('write 100 at 120. ') },
    ]);
    expect(positions[0]).toMatchObject({ quantity: '10', entry_price: '1200' });
    expect((await service.get<PortfolioView>(`/portfolios/${late.body.portfolio_id}`)).body.warnings).toEqual(
      [],
    );

    const again = await service.upload<Uploaded & { warnings: Remark[] }>(
      csvOfLots([{ ...lot, date: daysAgo(600) }]),
    );
    expect(again).toMatchObject({ status: 201, body: { warnings: [{ code: 'split_since_entry', row: 2 }] } });
    const dry = await service.upload<DryRunView>(csvOfLots([{ ...lot, date: daysAgo(600) }]), 'dry_run=true');
    expect(dry.body).toMatchObject({ would: 'ready', warnings: again.body.warnings });
  });

  test('is asked for by itself where an older lot joined a job that had asked already', async () => {
    const database = await makeDatabase();
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const proxies = provider.hold('SPY');
    let service = await startService(database, { provider });
    const lot = { symbol: 'SPLIT300', quantity: '10', price: '1200' };
    await service.upload(csvOfLots([{ ...lot, date: daysAgo(200) }]));
    await proxies.reached; // its prices and its splits are here
    const { body } = await service.upload<Uploaded>(csvOfLots([{ ...lot, date: daysAgo(600) }]));
    proxies.open();
    expect((await service.settled(body.portfolio_id)).warnings).toEqual([]);
    await service.app.close();
    service = await startService(database);
    await service.transition((one) => one.symbol === 'SPLIT300' && one.to === 'completed');
    expect((await service.portfolio(body.portfolio_id)).warnings).toMatchObject([
      { code: 'split_since_entry' },
    ]);
  });
});
