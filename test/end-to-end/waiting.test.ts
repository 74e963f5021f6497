import { beforeEach, expect, test } from 'vitest';
import type { PortfolioView, SymbolStatusView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { csvOf, startService, type Uploaded } from '../support/service.ts';

describeOnEveryDatabase('a client that waits', (makeDatabase) => {
  let database: Database;
  beforeEach(async () => {
    database = await makeDatabase();
  });

  const setUp = async () => {
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const service = await startService(database, { provider, settings: { SHUTDOWN_GRACE_MS: '0' } });
    const ask = (path: string, headers: Record<string, string>) => fetch(service.url + path, { headers });
    return { provider, service, ask };
  };
  const wait = { prefer: 'wait=60' };

  test('gets the status and the portfolio the moment they are settled, each for one more read', async () => {
    const { provider, service, ask } = await setUp();
    const gates = [provider.hold('AAPL'), provider.hold('MSFT')];
    const { body } = await service.upload<Uploaded>(csvOf('AAPL', 'MSFT'));
    await Promise.all(gates.map(({ reached }) => reached));
    const status = ask('/symbols/aapl/status', wait);
    const portfolio = ask(`/portfolios/${body.portfolio_id}`, wait);
    for (const gate of gates) gate.open();

    expect((await status).headers.get('preference-applied')).toBe('wait=60');
    expect((await (await status).json()) as SymbolStatusView).toMatchObject({ status: 'ready', progress: 1 });
    const view = (await (await portfolio).json()) as PortfolioView;
    expect(view).toMatchObject({ status: 'ready', snapshot: { position_count: 2, pending_count: 0 } });
  });

  test('and asks again is told 304 while nothing changes: pending, settled and ready', async () => {
    const { provider, service, ask } = await setUp();
    const gate = provider.hold('AAPL');
    const { body } = await service.upload<Uploaded>(csvOf('AAPL'));
    const paths = [
      '/symbols/AAPL/status',
      `/portfolios/${body.portfolio_id}`,
      '/onboarding/jobs',
      '/symbols/AAPL',
    ];
    await gate.reached;
    const twice = async () => {
      const tags: string[] = [];
      for (const path of paths) {
        const etag = (await ask(path, {})).headers.get('etag')!;
        const again = await ask(path, { 'if-none-match': etag });
        expect([path, again.status, await again.text()]).toEqual([path, 304, '']);
        tags.push(etag);
      }
      return tags;
    };
    const pending = await twice();
    gate.open();
    await service.settled(body.portfolio_id);
    const settled = await twice();
    expect(settled.filter((etag, at) => etag === pending[at])).toEqual([]);
  });
});
