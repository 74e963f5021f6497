import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Frame } from '../../../src/contract/schemas.ts';
import { modelHub, settle } from '../feed-model.ts';
import { missingId, portfolioId } from '../views.ts';

const numRuns = process.env.SOAK ? 20_000 : 150;
const ann = { name: 'ann', role: 'user' } as const;
const subscribe = (id: string, ...symbols: string[]) => ({
  type: 'subscribe',
  subscriptions: [{ id, symbols }],
});

describe('a client of the feed', () => {
  test('hears what is committed while its first state is read, after that state, once', async () => {
    const { model, join } = modelHub();
    model.commit('A');
    model.read();
    const client = join();
    const gate = Promise.withResolvers<void>();
    model.gate = gate.promise;
    client.send(subscribe('one', 'A'));
    await settle();
    model.commit('A');
    model.read();
    gate.resolve();
    await settle();
    expect(client.types()).toEqual(['hello', 'subscribed', 'actor', 'live', 'transition']);
    expect(client.of('actor')[0]).toMatchObject({ position: 1, job: { sequence: 1 } });
    expect(client.of('transition')[0]).toMatchObject({ position: 2, sequence: 2 });
  });

  test('hears once what two of its subscriptions are about, until both have ended', async () => {
    const { model, join } = modelHub();
    const client = join();
    client.send(subscribe('one', 'A', 'C'));
    client.send(subscribe('two', 'A', 'D'));
    await settle();
    model.commit('A');
    model.read();
    client.send({ type: 'unsubscribe', subscriptions: ['one'] });
    await settle();
    for (const symbol of ['A', 'C', 'D']) model.commit(symbol);
    model.read();
    client.send({ type: 'unsubscribe', subscriptions: ['two', 'three'] });
    await settle();
    model.commit('A');
    model.read();
    expect(client.of('transition').map(({ symbol, position }) => symbol + position)).toEqual([
      'A1',
      'A2',
      'D4',
    ]);
    expect(client.of('unsubscribed').map(({ subscriptions }) => subscriptions)).toEqual([['one'], ['two']]);
    expect(client.of('error')).toMatchObject([{ code: 'unknown_subscription', subscription: 'three' }]);
  });

  test('hears of the jobs of a portfolio’s symbols, and of its totals', async () => {
    const { model, join } = modelHub();
    const client = join(ann);
    client.send({ type: 'subscribe', subscriptions: [{ id: 'one', portfolios: [portfolioId] }] });
    await settle();
    model.commit('B');
    model.commit('A');
    model.revalue(portfolioId);
    model.revalue(missingId);
    model.read();
    expect(client.of('portfolio')[0]).toMatchObject({ portfolio_id: portfolioId, symbols: ['B'] });
    expect(client.frames.slice(-2)).toMatchObject([
      { type: 'transition', symbol: 'B', position: 1 },
      { type: 'snapshot.updated', portfolio_id: portfolioId, position: 3 },
    ]);
  });

  test('hears of jobs that enter and of jobs that leave a status', async () => {
    const { model, join } = modelHub();
    const client = join();
    client.send({ type: 'subscribe', subscriptions: [{ id: 'one', statuses: ['failed'] }] });
    await settle();
    model.commit('A', { from: 'processing.fetch.running', to: 'failed', status: 'failed' });
    model.commit('A', { from: 'failed', to: 'pending', status: 'pending' });
    model.commit('A', { from: 'pending', to: 'processing.fetch.running', status: 'processing' });
    model.read();
    expect(client.of('transition').map(({ position }) => position)).toEqual([1, 2]);
  });

  test('is refused what is not his, and keeps the rest', async () => {
    const { join } = modelHub({ subscriptions: 3, names: 5 });
    const client = join(ann);
    client.send({
      type: 'subscribe',
      subscriptions: [
        { id: 'all', everything: true },
        { id: 'theirs', portfolios: [portfolioId, missingId] },
        { id: 'one', symbols: ['A'] },
        { id: 'one', symbols: ['B'] },
        { id: 'odd', symbols: ['<script>'] },
      ],
    });
    client.send(subscribe('two', 'A', 'B', 'C', 'D', 'E'));
    await settle();
    expect(client.of('error').map(({ code, subscription }) => `${subscription}: ${code}`)).toEqual([
      'all: operators_only',
      'one: duplicate_subscription',
      'odd: invalid_frame',
      'theirs: portfolio_not_found',
      'two: too_many_subscriptions',
    ]);
    expect(client.of('live').map(({ subscriptions }) => subscriptions)).toEqual([['one']]);
  });

  test('that resumes gets what it has missed and goes on from there', async () => {
    const { model, join } = modelHub();
    for (const symbol of ['A', 'B', 'A']) model.commit(symbol);
    model.read(2);
    const client = join();
    client.send({ type: 'resume', after: 1, subscriptions: [{ id: 'one', symbols: ['A'] }] });
    await settle();
    model.read();
    await settle();
    model.commit('A');
    model.read();
    expect(client.types()).toEqual(['hello', 'resumed', 'transition', 'live', 'transition']);
    expect(client.of('transition').map(({ position }) => position)).toEqual([3, 4]);
    client.send({ type: 'resume', after: 1, subscriptions: [{ id: 'two', symbols: ['A'] }] });
    await settle();
    expect(client.frames.at(-1)).toMatchObject({ type: 'error', code: 'resume_too_late' });
  });

  test.each([
    ['expired', 1, {}],
    ['ahead', 9, {}],
    ['too_far', 2, { replay: 1 }],
  ])('is told to begin anew where the answer is %s', async (reason, after, limits) => {
    const { model, join } = modelHub(limits);
    for (const symbol of ['A', 'A', 'A', 'A']) model.commit(symbol);
    model.floor = 2;
    model.read();
    const client = join();
    client.send({ type: 'resume', after, subscriptions: [{ id: 'one', symbols: ['A'] }] });
    await settle();
    expect(client.types()).toEqual(['hello', 'resync', 'subscribed', 'actor', 'live']);
    expect(client.of('resync')[0]).toMatchObject({ reason, after, floor: 2, head: 4 });
  });

  test('is told how far the feed is from time to time, and nothing while it subscribes to nothing', async () => {
    const { model, join, hub, time } = modelHub();
    const [quiet, idle] = [join(), join()];
    quiet.send(subscribe('one', 'Z'));
    await settle();
    model.commit('A');
    model.read();
    time.now = 30_000;
    hub.tick();
    expect(quiet.frames.at(-1)).toEqual({ type: 'position', position: 1 });
    time.now = 60_000;
    hub.tick();
    expect([quiet.closed, idle.closed, hub.size]).toEqual([null, 4408, 1]);
  });

  test('hears that the feed cannot be read, and is closed', async () => {
    const { model, join, errors } = modelHub();
    const client = join();
    model.failure = new Error('no database');
    client.send(subscribe('one', 'A'));
    await settle();
    expect([client.of('error')[0]?.code, client.closed, errors.length]).toEqual([
      'feed_unavailable',
      1013,
      1,
    ]);
  });

  test('that asks too often, or makes too many mistakes, is closed', async () => {
    const { join } = modelHub({ requestsPerMinute: 5 });
    const eager = join();
    for (let asked = 0; asked < 6; asked += 1) eager.send(subscribe(`s${asked}`, 'A'));
    expect([eager.of('error')[0]?.code, eager.closed]).toEqual(['too_many_requests', 1008]);
    const { join: enter } = modelHub();
    const careless = enter();
    for (let sent = 0; sent < 101; sent += 1) careless.session.receive('{');
    expect([careless.of('error').length, careless.closed]).toEqual([101, 1008]);
  });
});

const symbols = ['A', 'B', 'C'];
type Step = ['commit' | 'subscribe' | 'unsubscribe', string] | ['read', number] | ['turn', number];
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constant('commit' as const), fc.constantFrom(...symbols)) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('read' as const), fc.nat({ max: 3 })) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('subscribe' as const), fc.constantFrom(...symbols)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('unsubscribe' as const), fc.constantFrom(...symbols)) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('turn' as const), fc.constant(0)) },
  ),
  { maxLength: 40 },
);

describe('whatever a client subscribes to, and whenever', () => {
  test('positions never go back, nothing comes twice, nothing is missing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('everything', 'symbols'), steps, async (also, given: Step[]) => {
        const { model, join } = modelHub();
        const client = join();
        if (also === 'everything') {
          client.send({ type: 'subscribe', subscriptions: [{ id: 'all', everything: true }] });
        }
        let number = 0;
        const open = new Map<string, string>();
        for (const [what, detail] of given) {
          if (what === 'commit') model.commit(detail);
          if (what === 'read') model.read(detail);
          if (what === 'turn') await settle();
          if (what === 'subscribe' && !open.has(detail)) {
            number += 1;
            open.set(detail, `s${number}`);
            client.send(subscribe(`s${number}`, detail));
          }
          if (what === 'unsubscribe' && open.has(detail)) {
            client.send({ type: 'unsubscribe', subscriptions: [open.get(detail)] });
            open.delete(detail);
          }
        }
        model.read();
        await settle();
        model.read();
        await settle();
        checkOrder(client.frames);
        const heard = also === 'everything' ? symbols : [...open.keys()];
        for (const symbol of heard)
          expect([symbol, known(client.frames, symbol)]).toEqual([symbol, last(model, symbol)]);
      }),
      { numRuns, seed: 20261125 },
    );
  });
});

function checkOrder(frames: readonly Frame[]): void {
  let highest = 0;
  const told = new Set<number>();
  const sequences = new Map<string, number>();
  for (const frame of frames) {
    if (frame.type === 'actor' || frame.type === 'live' || frame.type === 'transition') {
      expect(frame.position).toBeGreaterThanOrEqual(highest);
      highest = frame.position;
    }
    if (frame.type === 'actor') sequences.set(frame.job.symbol, frame.job.sequence);
    if (frame.type !== 'transition') continue;
    expect(told.has(frame.position)).toBe(false);
    told.add(frame.position);
    const before = sequences.get(frame.symbol);
    if (before !== undefined) expect(frame.sequence).toBeGreaterThan(before);
    sequences.set(frame.symbol, frame.sequence);
  }
}

/** The last sequence of a symbol that the client knows of. */
function known(frames: readonly Frame[], symbol: string): number {
  return frames.reduce((sequence, frame) => {
    if (frame.type === 'actor' && frame.job.symbol === symbol) return frame.job.sequence;
    return frame.type === 'transition' && frame.symbol === symbol ? frame.sequence : sequence;
  }, 0);
}

const last = ({ committed }: ReturnType<typeof modelHub>['model'], symbol: string) =>
  committed.reduce((sequence, entry) => {
    return entry.type === 'transition' && entry.symbol === symbol ? entry.sequence : sequence;
  }, 0);
