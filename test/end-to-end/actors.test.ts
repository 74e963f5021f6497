import { beforeAll, expect, test } from 'vitest';
import type { ActorsView, ActorView, TimelineView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { parseFaults } from '../../src/market/simulated/faults.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { observeProvider } from '../../src/trace-context.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';
import { authTokens } from '../support/tokens.ts';

const market = (faults = '') =>
  gatedProvider(
    simulatedProvider({ clock: systemClock, faults: parseFaults(faults), observe: observeProvider }),
  );

const actorOf = async (service: TestService, symbol: string, at = '') => {
  const { job_id } = await service.job(symbol);
  return (await service.get<ActorView>(`/onboarding/actors/${job_id}${at}`)).body;
};

describeOnDatabase('pglite', 'actors over REST', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('tell what each is doing, live where it lives here and from the journal where it does not', async () => {
    const provider = market();
    const service = await startService(database, { provider, settings: { ONBOARDING_CONCURRENCY: '1' } });
    const held = provider.hold('RUNS');
    await service.upload(csvOf('RUNS'));
    await held.reached;
    const { body: upload } = await service.upload<Uploaded>(csvOf('RUNS', 'WAITS'));

    const ask = async () => (await service.get<ActorsView>('/onboarding/actors')).body;
    const bothLive = (view: ActorsView) => view.actors.every(({ source }) => source === 'live');
    let body = await ask();
    while (!bothLive(body)) body = await ask(); // a claim is committed before its actor lives
    const [running, waiting] = ['RUNS', 'WAITS'].map((name) =>
      body.actors.find((one) => one.symbol === name),
    );
    expect(body.supervisor).toMatchObject({
      source: 'live',
      state: 'accepting',
      context: { permits: ['RUNS'], waiting: ['WAITS'], concurrency: 1 },
      waiting_for: { kind: 'children' },
    });
    expect(body.supervisor.children).toEqual(
      expect.arrayContaining([
        { id: 'RUNS', src: 'job', state: 'processing.fetch.running', job_id: running?.job_id },
        { id: 'WAITS', src: 'job', state: 'pending', job_id: waiting?.job_id },
      ]),
    );
    expect(running).toMatchObject({
      source: 'live',
      node: body.node,
      state: 'processing.fetch.running',
      permit: true,
      waiting_for: { kind: 'phase' },
      children: [{ id: 'fetch' }],
      committed: { state: 'processing.fetch.running', sequence: 3 },
    });
    expect(waiting).toMatchObject({
      source: 'live',
      state: 'pending',
      waiting_for: { kind: 'permit', place: 1 },
    });

    held.open();
    await service.settled(upload.portfolio_id);
    const atRest = await actorOf(service, 'RUNS');
    expect(atRest).toMatchObject({
      source: 'journal',
      state: 'completed',
      value: 'completed',
      permit: false,
      waiting_for: null,
      children: [],
      context: { symbol: 'RUNS', attempt: 1, error: null, results: { provider: 'simulated' } },
    });
    expect((await service.get<ActorsView>('/onboarding/actors')).body.actors).toEqual([]);
    const finished = await service.get<ActorsView>('/onboarding/actors?status=completed&limit=1');
    expect(finished.body.actors.map(({ symbol }) => symbol)).toEqual(['WAITS']);
    expect(finished.body.next_cursor).toBe(finished.body.actors[0]?.job_id);
  });

  test('are found by their symbol as anybody writes it, and none by what can be no symbol', async () => {
    const service = await startService(database);
    const { body } = await service.upload<Uploaded>(csvOf('BRK.B'));
    await service.settled(body.portfolio_id);
    const of = async (symbol: string) => {
      const path = `/onboarding/actors?status=completed&symbol=${symbol}`;
      const { status, body } = await service.get<ActorsView>(path);
      return [status, body.actors.map((actor) => actor.symbol)];
    };
    expect(await of('brk.b')).toEqual([200, ['BRK-B']]);
    expect(await of('%00')).toEqual([200, []]);
  });

  test('are given as they were after any transition, those included that keep no actor snapshot', async () => {
    const service = await startService(database, { provider: market('TRIED=timeout:1') });
    const { body: upload } = await service.upload<Uploaded>(csvOf('TRIED'));
    await service.settled(upload.portfolio_id);
    const states = [];
    for (let at = 1; at <= 5; at += 1) {
      const { state, value, context, committed } = await actorOf(service, 'TRIED', `?at=${at}`);
      states.push([committed?.sequence, state, value, context.attempt, context.epoch]);
    }
    expect(states).toEqual([
      [1, 'pending', 'pending', 1, 0],
      [2, 'pending', 'pending', 1, 1],
      [3, 'processing.fetch.running', { processing: { fetch: 'running' } }, 1, 1],
      [4, 'processing.fetch.backingOff', { processing: { fetch: 'backingOff' } }, 2, 1],
      [5, 'processing.fetch.waiting', { processing: { fetch: 'waiting' } }, 2, 1],
    ]);
    const backingOff = await actorOf(service, 'TRIED', '?at=4');
    expect(backingOff).toMatchObject({
      source: 'journal',
      waiting_for: { kind: 'time', until: new Date(backingOff.context.retryAt as number).toISOString() },
      children: [{ id: 'sleepUntil' }],
      context: { error: { code: 'provider_timeout' } },
    });
  });

  test('a timeline tells every request, its outcome and the writes, also after a restart', async () => {
    const first = await startService(database, { provider: market('ASKED=timeout:1') });
    const { body: upload } = await first.upload<Uploaded>(csvOf('ASKED'));
    await first.settled(upload.portfolio_id);
    const { job_id: id } = await first.job('ASKED');
    await first.app.close();

    const second = await startService(database);
    const { body } = await second.get<TimelineView>(`/onboarding/jobs/${id}/timeline`);
    const [failed, fetched, measured, entered] = body.entries.filter(({ from }) =>
      from?.endsWith('.running'),
    );
    const url = expect.stringMatching(/^simulated:history\?symbol=ASKED&from=\d{4}-\d\d-\d\d&to=/);
    const request = { provider: 'simulated', url, status: null, bytes: null };
    expect(failed).toMatchObject({
      event: 'fetch.failed',
      attempt: 2,
      provider_requests: [{ ...request, result: 'provider_timeout' }],
      database_writes: 0,
    });
    expect(fetched?.provider_requests).toMatchObject([{ ...request, result: 'ok' }]);
    for (const entry of [fetched, measured, entered]) expect(entry?.database_writes).toBeGreaterThan(0);
    expect(body.entries.map(({ sequence }) => sequence)).toEqual(body.entries.map((_, n) => n + 1));

    const page = await second.get<TimelineView>(`/onboarding/jobs/${id}/timeline?limit=2&cursor=2`);
    expect(page.body.entries).toEqual(body.entries.slice(2, 4));
    expect(page.body.next_cursor).toBe('4');
  });

  test('are for operators: a user sees the job, and neither its node nor its requests', async () => {
    const provider = market();
    const service = await startService(database, { provider, settings: { AUTH_TOKENS: authTokens } });
    const [ann, olga] = [service.as('ann'), service.as('olga')];
    const held = provider.hold('SECRET');
    await ann.upload(csvOf('SECRET'));
    await held.reached;
    const { job_id: id, node, timeline } = await olga.job('SECRET');
    expect((await ann.job('SECRET')).timeline.map(({ to }) => to)).toEqual(timeline.map(({ to }) => to));
    for (const path of ['/onboarding', '/onboarding/jobs', `/onboarding/jobs/${id}`]) {
      expect([path, JSON.stringify(await ann.get(path)).includes(node!)]).toEqual([path, false]);
      expect([path, JSON.stringify(await olga.get(path)).includes(node!)]).toEqual([path, true]);
    }
    const paths = ['/onboarding/actors', `/onboarding/actors/${id}`, `/onboarding/jobs/${id}/timeline`];
    for (const path of paths) {
      const refused = await ann.get(path);
      expect([path, refused.status]).toEqual([path, 403]);
      expect((await olga.get(path)).status).toBe(200);
    }
  });
});
