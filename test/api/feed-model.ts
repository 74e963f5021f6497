import { feedHub } from '../../src/api/feed/feed-hub.ts';
import { type LiveLimits, liveLimits } from '../../src/api/feed/frames.ts';
import type { Sink } from '../../src/api/feed/slow-client.ts';
import type { Feed, FeedEntry, Replay } from '../../src/contract/feed.ts';
import type { Frame, FrameOf } from '../../src/contract/schemas.ts';
import { localViewer, type Viewer } from '../../src/contract/service.ts';
import { job, missingId, snapshot, transition } from './views.ts';

export const jobIdOf = (symbol: string) =>
  `0199a000-0000-7000-8000-0000000001${symbol.charCodeAt(0).toString(16)}`;

/** A database of one job per symbol, and a node that reads its feed when it is told to. */
export function modelFeed() {
  const committed: FeedEntry[] = [];
  const listeners = new Set<(entry: FeedEntry) => void>();
  const waiting = new Set<{ position: number; arrive: () => void }>();
  const sequences = new Map<string, number>();
  let told = 0;
  const model = {
    floor: 0,
    failure: null as unknown,
    committed,
    /** Reads wait for it. */
    gate: Promise.resolve(),
    commit(symbol: string, changes: Partial<FrameOf<'transition'>> = {}) {
      const sequence = (sequences.get(symbol) ?? 0) + 1;
      sequences.set(symbol, sequence);
      const entry = { ...transition(committed.length + 1), symbol, job_id: jobIdOf(symbol), sequence };
      committed.push({ type: 'transition', ...entry, ...changes });
    },
    revalue(portfolio_id: string) {
      const position = committed.length + 1;
      committed.push({
        type: 'snapshot.updated',
        position,
        portfolio_id,
        cause: null,
        before: null,
        after: snapshot,
      });
    },
    /** The node reads so many more entries. */
    read(count = Number.POSITIVE_INFINITY) {
      for (let left = count; left > 0 && told < committed.length; left -= 1) {
        const entry = committed[told]!;
        told += 1;
        for (const listener of listeners) listener(entry);
      }
      for (const waiter of waiting) if (waiter.position <= told) waiter.arrive();
    },
    feed: null as unknown as Feed,
  };
  const stateOf = (symbols: readonly string[], position: number) =>
    symbols.flatMap((symbol) => {
      const last = committed
        .slice(0, position)
        .findLast((entry) => entry.type === 'transition' && entry.symbol === symbol);
      if (last?.type !== 'transition') return [];
      return [
        {
          job: { ...job, job_id: last.job_id, symbol, sequence: last.sequence },
          actor_snapshot: null,
        },
      ];
    });
  model.feed = {
    subscribe(listener) {
      listeners.add(listener);
      return { position: told, close: () => void listeners.delete(listener) };
    },
    async reached(position) {
      if (position <= told) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add({ position, arrive: resolve });
      await promise;
    },
    async state(subscriptions) {
      const position = committed.length;
      const states = subscriptions.map(({ id, symbols = [], portfolios = [] }) => ({
        id,
        missing: portfolios.filter((one) => one === missingId),
        portfolios: portfolios.map((portfolio_id) => ({ portfolio_id, symbols: ['B'], snapshot })),
        actors: stateOf([...symbols, ...(portfolios.length > 0 ? ['B'] : [])], position),
        truncated: false,
      }));
      await model.gate;
      if (model.failure !== null) throw model.failure;
      return { position, subscriptions: states };
    },
    async replay({ after, subscriptions, limit }): Promise<Replay> {
      const { position, subscriptions: states } = await model.feed.state(subscriptions, localViewer);
      const { floor } = model;
      if (after < floor) return { kind: 'resync', reason: 'expired', floor, position };
      if (after > position) return { kind: 'resync', reason: 'ahead', floor, position };
      const entries = committed.slice(after, position);
      if (entries.length > limit) return { kind: 'resync', reason: 'too_far', floor, position };
      return { kind: 'replayed', position, subscriptions: states, entries };
    },
    onEnd: () => () => {},
  };
  return model;
}

/** A hub over a model, and clients that keep the frames they were sent. */
export function modelHub(limits: Partial<LiveLimits> = {}) {
  const model = modelFeed();
  const errors: unknown[] = [];
  const time = { now: 0 };
  const hub = feedHub({
    feed: model.feed,
    clock: { now: () => time.now },
    limits: { ...liveLimits, ...limits },
    marketData: { providers: ['simulated'], simulated: true },
    log: (error) => errors.push(error),
  });
  const join = (viewer: Viewer = localViewer) => {
    const frames: Frame[] = [];
    const client = {
      frames,
      /** What the client has not read yet. */
      pending: 0,
      closed: null as number | null,
      types: () => frames.map(({ type }) => type),
      of: <Type extends Frame['type']>(type: Type) =>
        frames.filter((frame): frame is Extract<Frame, { type: Type }> => frame.type === type),
      session: null as unknown as ReturnType<typeof hub.join>,
      send: (frame: unknown) => client.session.receive(JSON.stringify(frame)),
    };
    const sink: Sink = {
      write: (bytes) => void frames.push(JSON.parse(Buffer.from(bytes).toString()) as Frame),
      get pending() {
        return client.pending;
      },
      close: (code) => {
        client.closed = code;
      },
    };
    const encode = (frame: Frame) => Buffer.from(JSON.stringify(frame));
    client.session = hub.join({ sink, encode, viewer });
    return client;
  };
  return { model, hub, join, errors, time };
}

/** Lets everything happen that waits for nothing but its turn. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
