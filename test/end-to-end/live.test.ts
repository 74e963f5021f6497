import { once } from 'node:events';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { isAtRest } from '../../machines/job.ts';
import type {
  Frame,
  JobDetailView,
  PortfolioView,
  SymbolStatusView,
  TransitionView,
} from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

/** Subscribes to everything, and hands over each transition as it arrives. Answers from which position on. */
async function watch(
  service: TestService,
  onTransition: (transition: TransitionView) => void,
): Promise<number> {
  const socket = new WebSocket(`${service.url.replace('http', 'ws')}/ws`, 'onboarding.v1+json');
  onTestFinished(() => socket.close());
  const live = Promise.withResolvers<number>();
  socket.addEventListener('message', ({ data }) => {
    const frame = JSON.parse(String(data)) as Frame;
    if (frame.type === 'live') live.resolve(frame.position);
    if (frame.type === 'transition') onTransition(frame);
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'subscribe', subscriptions: [{ id: 'all', everything: true }] }));
  return live.promise;
}

const read = async <T>(service: TestService, path: string) => (await service.get<T>(path)).body;

describeOnEveryDatabase('the live feed', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('pushes each committed transition in order, per job without a gap, as the journal has them', async () => {
    const service = await startService(database, { faults: 'LIVE2=timeout:1,LIVE3=empty' });
    const pushed: TransitionView[] = [];
    const ended = Promise.withResolvers<void>();
    const position = await watch(service, (transition) => {
      pushed.push(transition);
      if (pushed.filter(({ to }) => isAtRest(to)).length === 3) ended.resolve();
    });
    await service.upload(csvOf('LIVE1', 'LIVE2', 'LIVE3'));
    await ended.promise;

    const positions = pushed.map((transition) => transition.position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(new Set(positions).size).toBe(positions.length);
    expect(positions[0]).toBeGreaterThan(position);
    for (const symbol of ['LIVE1', 'LIVE2', 'LIVE3']) {
      const own = pushed.filter((transition) => transition.symbol === symbol);
      expect(own.map(({ sequence }) => sequence)).toEqual(own.map((_, index) => index + 1));
      expect(own.map(({ from }) => from)).toEqual([null, ...own.slice(0, -1).map(({ to }) => to)]);
      const { timeline } = await service.job(symbol);
      expect(own).toEqual(timeline.map((transition) => ({ type: 'transition', ...transition })));
    }
  });

  test('never pushes what REST does not show yet', async () => {
    const service = await startService(database, { faults: 'BEHIND2=empty' });
    const { checks, settled } = await pushing(service, 3);
    await service.upload(csvOf('BEHIND1', 'BEHIND2', 'BEHIND3'));
    await settled;
    await Promise.all(checks);
    expect(checks).toHaveLength(service.transitions.length);
  });

  test('never lets anybody see ready while a snapshot lacks the symbol', async () => {
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    const service = await startService(database, { provider });
    const symbols = ['SEEN1', 'SEEN2'];
    const ids: string[] = [];
    const answers: Promise<boolean[]>[] = [];
    const look = () => {
      for (const id of ids) answers.push(...symbols.map((symbol) => readyMeansPriced(service, id, symbol)));
    };
    const { close } = service.app.service.feed.subscribe(look);
    onTestFinished(close);
    const fetching = symbols.map((symbol) => provider.hold(symbol));
    const uploads = await Promise.all([
      service.upload<Uploaded>(csvOf(...symbols)),
      service.upload<Uploaded>(csvOf(...symbols.slice(1))),
    ]);
    ids.push(...uploads.map(({ body }) => body.portfolio_id));
    look();
    await answers.at(-1); // on the way, whatever the machine does meanwhile
    for (const { open } of fetching) open();
    for (const id of ids) await service.settled(id);
    look();

    const seen = (await Promise.all(answers)).flat();
    expect(seen).toContain(true); // and some of them while it was still on its way:
    expect(seen).toContain(false);
  });
});

/** Checks each pushed transition against what REST says from that moment on. */
async function pushing(service: TestService, jobs: number) {
  const checks: Promise<void>[] = [];
  const settled = Promise.withResolvers<void>();
  let ended = 0;
  await watch(service, (transition) => {
    checks.push(restHas(service, transition));
    if (isAtRest(transition.to)) ended += 1;
    if (ended === jobs) settled.resolve();
  });
  return { checks, settled: settled.promise };
}

async function restHas(service: TestService, transition: TransitionView): Promise<void> {
  const { job_id: id, sequence, symbol, to } = transition;
  const [job, status] = await Promise.all([
    read<JobDetailView>(service, `/onboarding/jobs/${id}`),
    read<SymbolStatusView>(service, `/symbols/${symbol}/status`),
  ]);
  expect(job.sequence).toBeGreaterThanOrEqual(sequence);
  expect(job.timeline.find((shown) => shown.sequence === sequence)).toMatchObject({ to });
  if (to === 'completed') expect(status).toMatchObject({ status: 'ready', progress: 1 });
  else if (to === 'failed') expect(status).toMatchObject({ status: 'error' });
  else if (to !== 'pending') expect(status.status).not.toBe('pending');
  else expect(status.status).not.toBe('unknown');
}

/** Whether the symbol was called ready, having seen that then the portfolio has it in its totals. */
async function readyMeansPriced(service: TestService, id: string, symbol: string): Promise<boolean[]> {
  const status = await read<SymbolStatusView>(service, `/symbols/${symbol}/status`);
  const view = await read<PortfolioView>(service, `/portfolios/${id}`);
  const { positions } = await read<{ positions: { symbol: string; disposition: string }[] }>(
    service,
    `/portfolios/${id}/positions`,
  );
  const inIt = view.symbols.find((one) => one.symbol === symbol);
  const ready = view.symbols.filter((one) => one.status === 'ready').length;
  expect(view.snapshot?.position_count ?? 0).toBeGreaterThanOrEqual(ready);
  if (view.status === 'ready') {
    expect(ready).toBe(view.lot_count);
    expect(view.snapshot).toMatchObject({
      position_count: view.lot_count,
      is_complete: true,
      pending_count: 0,
    });
  }
  if (inIt && status.status === 'ready') {
    expect(inIt.status).toBe('ready');
    expect(positions.find((lot) => lot.symbol === symbol)).toMatchObject({ disposition: 'priced' });
  }
  return inIt ? [status.status === 'ready'] : [];
}
