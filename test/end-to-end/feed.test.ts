import { beforeAll, expect, test } from 'vitest';
import type { PortfolioView, SnapshotView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { watch } from '../api/feed-client.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';
import { authTokens, type Person } from '../support/tokens.ts';

/** Opens the feed as somebody, with a ticket as a browser would. */
async function watchAs(service: TestService, person: Person) {
  const { body } = await service.as(person).post<{ ticket: string }>('/tickets');
  return watch(service.url, { path: `/ws?ticket=${body.ticket}` });
}

describeOnEveryDatabase('the feed', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('tells the totals of a portfolio before and after each symbol, to the digit, in one order with its jobs', async () => {
    const service = await startService(database, { settings: { AUTH_TOKENS: authTokens } });
    const { body } = await service.as('ann').upload<Uploaded>(csvOf('TOT1', 'TOT2'));
    const client = await (await watchAs(service, 'ann')).subscribe({ portfolios: [body.portfolio_id] });
    const settled = await service.as('ann').settled(body.portfolio_id);
    const updates = client.of('snapshot.updated');
    const first = await client.frame('portfolio');
    let known: SnapshotView | null = first.snapshot;
    for (const { before, after } of updates) {
      expect(before).toEqual(known);
      known = after;
    }
    expect({ ...known, pending_count: 0 }).toEqual(settled.snapshot);
    expect(first.symbols).toEqual(['TOT1', 'TOT2']);
    const seen = client.frames.flatMap((frame) =>
      frame.type === 'transition' || frame.type === 'snapshot.updated' ? [frame.position] : [],
    );
    const from = client.of('live')[0]!.position;
    expect(seen).toEqual(seen.map((_, place) => from + 1 + place)); // nobody else is there: no hole
  });

  test('shows a user only what is hers, an operator everything', async () => {
    const service = await startService(database, { settings: { AUTH_TOKENS: authTokens } });
    const { body } = await service.as('ann').upload<Uploaded>(csvOf('OWN1'));
    await service.as('ann').settled(body.portfolio_id);
    const bob = await watchAs(service, 'bob');
    await bob.subscribe({ symbols: ['OWN1'] });
    bob.send({
      type: 'subscribe',
      subscriptions: [
        { id: 'hers', portfolios: [body.portfolio_id] },
        { id: 'all', everything: true },
      ],
    });
    await bob.have(6);
    expect(bob.of('error').map(({ code, subscription }) => [subscription, code])).toEqual([
      ['all', 'operators_only'],
      ['hers', 'portfolio_not_found'],
    ]);
    const again = await watchAs(service, 'bob');
    await again.frame('hello');
    again.send({
      type: 'resume',
      after: 0,
      subscriptions: [{ id: 'hers', portfolios: [body.portfolio_id] }],
    });
    expect(await again.frame('error')).toMatchObject({ code: 'portfolio_not_found' });
    const olga = await (await watchAs(service, 'olga')).subscribe({ portfolios: [body.portfolio_id] });
    expect((await olga.frame('portfolio')).snapshot?.position_count).toBe(1);
  });

  test('replays what was missed from the journal, and says so where that is gone', async () => {
    const service = await startService(database, { faults: 'GONE=empty' });
    const before = service.app.service.feed.subscribe(() => {});
    before.close();
    const { body } = await service.upload<Uploaded>(csvOf('KEPT', 'GONE'));
    await service.settled(body.portfolio_id);
    const everything = [{ id: 'all', everything: true as const }];

    const late = watch(service.url);
    await late.frame('hello');
    late.send({ type: 'resume', after: before.position, subscriptions: everything });
    const { position } = await late.frame('live');
    const kept = await service.job('KEPT');
    expect(late.of('transition').filter(({ symbol }) => symbol === 'KEPT')).toEqual(
      kept.timeline.map((transition) => ({ type: 'transition', ...transition })),
    );
    expect(late.of('snapshot.updated').map(({ cause }) => cause)).toContain('KEPT');

    const failed = watch(service.url);
    await failed.frame('hello');
    failed.send({
      type: 'resume',
      after: before.position,
      subscriptions: [{ id: 'bad', statuses: ['failed'] }],
    });
    await failed.frame('live');
    expect(failed.of('transition').map(({ symbol, to }) => [symbol, to])).toEqual([['GONE', 'failed']]);

    await database.sql('update feed_head set floor = position');
    const expired = watch(service.url);
    await expired.frame('hello');
    expired.send({
      type: 'resume',
      after: before.position,
      subscriptions: [{ id: 'one', symbols: ['kept'] }],
    });
    expect(await expired.frame('resync')).toMatchObject({
      reason: 'expired',
      floor: position,
      head: position,
    });
    expect((await expired.frame('actor')).job).toMatchObject({ symbol: 'KEPT', status: 'completed' });
    const { body: view } = await service.get<PortfolioView>(`/portfolios/${body.portfolio_id}`);
    expect(view.status).toBe('partial');
  });
});
