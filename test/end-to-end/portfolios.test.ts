import { beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';
import type { PortfolioView, Problem, portfoliosSchema } from '../../src/contract/schemas.ts';
import type { Viewer } from '../../src/contract/service.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { parseFaults } from '../../src/market/simulated/faults.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { portfolioListQuery } from '../../src/portfolio/portfolio-list.query.ts';
import { describeOnDatabase, describeOnEveryDatabase } from '../support/databases.ts';
import { gatedDatabase, gatedProvider, sessionsBlocked } from '../support/gates.ts';
import { countRows } from '../support/rows.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

type Page = z.infer<typeof portfoliosSchema>;

const cash = 'Symbol,Quantity,Entry Price Per Share,Entry Date,Investment Class\nUSD,1000,1,2025-01-02,CASH';
const ann: Viewer = { name: 'ann', role: 'user' };
const bob: Viewer = { name: 'bob', role: 'user' };
const operator: Viewer = { name: 'local', role: 'operator' };

async function uploadFor({ app }: TestService, owner: string, csv: string): Promise<string> {
  const source = { kind: 'csv', bytes: Buffer.from(csv) } as const;
  const input = { owner, name: `of ${owner}`, baseCurrency: 'USD', allowDuplicates: false, source };
  const answer = await app.service.portfolios.upload(input, { key: undefined });
  if (answer.kind !== 'created') throw new Error(answer.kind);
  return answer.portfolio_id;
}

describeOnEveryDatabase('portfolios', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('are listed with the status and the totals that each shows by itself', async () => {
    const faults = parseFaults('EURUSD=X=empty');
    const provider = gatedProvider(simulatedProvider({ clock: systemClock, faults }));
    const service = await startService(database, { provider, settings: { SHUTDOWN_GRACE_MS: '0' } });
    const rich = await service.upload<Uploaded>(cash, 'name=rich');
    const ready = await service.upload<Uploaded>(csvOf('LISTED', 'OTHER'));
    await service.settled(ready.body.portfolio_id);
    const held = provider.hold('HELD');
    const pending = await service.upload<Uploaded>(csvOf('LISTED', 'HELD'));
    await held.reached;
    const foreign = await service.upload<Uploaded>(csvOf('SAP.DE'));
    await service.settled(foreign.body.portfolio_id);

    const { body } = await service.get<Page>('/portfolios');
    const ids = [foreign, pending, ready, rich].map((upload) => upload.body.portfolio_id);
    expect(body.portfolios.map(({ portfolio_id }) => portfolio_id)).toEqual(ids);
    expect(body.portfolios.map(({ status }) => status)).toEqual(['error', 'pending', 'ready', 'ready']);
    expect(body.next_cursor).toBeNull();
    for (const listed of body.portfolios) {
      const {
        progress: _,
        symbols: __,
        warnings: ___,
        ...single
      } = await service.portfolio(listed.portfolio_id);
      expect(listed).toEqual(single);
    }
    expect(body.portfolios[3]).toMatchObject({ name: 'rich', snapshot: { total_value: '1000.00' } });
    expect(body.portfolios[1]).toMatchObject({ snapshot: { pending_count: 1, position_count: 1 } });
  });

  test('are listed in a constant number of statements', async () => {
    const service = await startService(database);
    for (let n = 0; n < 5; n += 1) await uploadFor(service, 'ann', cash);
    let statements = 0;
    const counted: Database = {
      ...database,
      sql(...call) {
        statements += 1;
        return database.sql(...call);
      },
    };
    for (const limit of [1, 5]) {
      const { portfolios } = await portfolioListQuery(counted).list({ limit }, ann);
      expect(portfolios).toHaveLength(limit);
    }
    expect(statements).toBe(2 * 3);
  });

  test("are a user's own in every page, and all of them for an operator", async () => {
    const service = await startService(database);
    const { portfolios } = service.app.service;
    const hers: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      hers.unshift(await uploadFor(service, 'carol', cash));
      await uploadFor(service, 'dave', cash);
    }
    const carol: Viewer = { name: 'carol', role: 'user' };
    const first = await portfolios.list({ limit: 2 }, carol);
    expect(first.portfolios.map(({ portfolio_id }) => portfolio_id)).toEqual(hers.slice(0, 2));
    expect(first.next_cursor).toBe(hers[1]);
    await uploadFor(service, 'carol', cash); // shifts no page
    const second = await portfolios.list({ limit: 2, cursor: first.next_cursor! }, carol);
    expect(second.portfolios.map(({ portfolio_id }) => portfolio_id)).toEqual(hers.slice(2));
    expect(second.next_cursor).toBeNull();
    const all = await portfolios.list({ limit: 200 }, operator);
    expect(new Set(all.portfolios.map(({ owner }) => owner))).toEqual(
      new Set(['carol', 'dave', 'ann', 'local']),
    );
  });

  test('are deleted with everything of theirs, by their owner or an operator and nobody else', async () => {
    const service = await startService(database);
    const before = await countRows(database);
    const id = await uploadFor(service, 'ann', cash);
    const { portfolios } = service.app.service;
    expect(await portfolios.remove(id, bob)).toBe(false);
    expect(await portfolios.find(id, ann)).toMatchObject({ snapshot: { total_value: '1000.00' } });
    expect(await portfolios.remove(id, ann)).toBe(true);
    expect(await portfolios.remove(id, ann)).toBe(false);
    expect(await countRows(database)).toEqual(before);

    const second = await uploadFor(service, 'ann', cash);
    expect((await service.send('DELETE', `/portfolios/${second}`)).status).toBe(204);
    for (const path of ['', '/positions', '/snapshots', '/exposures']) {
      const gone = await service.get<Problem>(`/portfolios/${second}${path}`);
      expect(gone).toMatchObject({ status: 404, body: { code: 'portfolio_not_found' } });
    }
    expect((await service.send('DELETE', `/portfolios/${second}`)).status).toBe(404);
    expect(await countRows(database)).toEqual(before);
  });

  test('may be deleted while a symbol of theirs is onboarded, which completes for the others', async () => {
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const service = await startService(database, { provider });
    const fetching = provider.hold('SHARED');
    const gone = await service.upload<Uploaded>(csvOf('SHARED'));
    const stays = await service.upload<Uploaded>(csvOf('SHARED'));
    await fetching.reached;
    expect((await service.send('DELETE', `/portfolios/${gone.body.portfolio_id}`)).status).toBe(204);
    fetching.open();
    const portfolio: PortfolioView = await service.settled(stays.body.portfolio_id);
    expect(portfolio).toMatchObject({ status: 'ready', snapshot: { position_count: 1 } });
  });
});

describeOnDatabase('postgres', 'deleting a portfolio', (makeDatabase) => {
  test('waits for the snapshot phase that has locked it, which completes', async () => {
    const inner = await makeDatabase();
    const database = gatedDatabase(inner);
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const service = await startService(database, { provider });
    const fetching = provider.hold('LOCKS');
    const { body } = await service.upload<Uploaded>(csvOf('LOCKS'));
    const other = await service.upload<Uploaded>(csvOf('LOCKS'));
    await fetching.reached;
    // The phase has locked both portfolios by then.
    const recompute = database.holdBefore((text) => text.includes('insert into portfolio_snapshots as t'));
    fetching.open();
    await recompute.reached;
    const deleting = service.send('DELETE', `/portfolios/${body.portfolio_id}`);
    await sessionsBlocked(inner);
    recompute.open();
    expect((await deleting).status).toBe(204);
    expect(await service.settled(other.body.portfolio_id)).toMatchObject({ status: 'ready' });
    expect((await service.job('LOCKS')).timeline.every(({ error }) => error === null)).toBe(true);
    const left = await inner.sql('select 1 from portfolio_snapshots where portfolio_id = $1::uuid', [
      body.portfolio_id,
    ]);
    expect(left).toEqual([]);
  });
});
