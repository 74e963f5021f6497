import type { FeedEntry, FeedState, Replay, SubscriptionState } from '../../src/contract/feed.ts';
import type { Subscription, SymbolStatusView } from '../../src/contract/schemas.ts';
import type {
  CancelAnswer,
  DryRunAnswer,
  OnboardAnswer,
  ReplayedUpload,
  RetryAnswer,
  Service,
  UploadAnswer,
  UploadInput,
  Viewer,
} from '../../src/contract/service.ts';
import {
  actor,
  actors,
  exposures,
  job,
  jobDetail,
  jobId,
  lot,
  missingId,
  overview,
  portfolio,
  portfolioExposures,
  portfolioId,
  prices,
  profile,
  snapshot,
  symbolStatus,
  timeline,
  transition,
} from './views.ts';

export { jobId, missingId, portfolioId } from './views.ts';

const stateOf = ({ id, portfolios = [] }: Subscription): SubscriptionState => ({
  id,
  missing: portfolios.filter((one) => one === missingId),
  portfolios: portfolios
    .filter((one) => one !== missingId)
    .map((portfolio_id) => ({ portfolio_id, symbols: ['BRK-B'], snapshot })),
  actors: [{ job, actor_snapshot: jobDetail.actor_snapshot }],
  truncated: false,
});

/** A `Service` that remembers what it was asked and answers as told; `emit` plays the feed. */
export function fakeService() {
  const uploads: UploadInput[] = [];
  const calls: unknown[][] = [];
  const listeners = new Set<(entry: FeedEntry) => void>();
  const ends = new Set<(symbol: string) => void>();
  const fake = {
    uploads,
    calls,
    listeners,
    /** What each request came to. */
    answered: [] as object[],
    /** What the service remembers of every symbol. */
    remembered: undefined as SymbolStatusView | undefined,
    /** Who waits for the end of jobs. */
    ends,
    answer: {
      kind: 'created',
      portfolio_id: portfolioId,
      status: 'pending',
      pending_symbols: ['BRK-B'],
      warnings: [],
    } as UploadAnswer | ReplayedUpload,
    keys: [] as (string | undefined)[],
    forecast: {
      kind: 'accepted',
      lot_count: 1,
      pending_symbols: ['BRK-B'],
      warnings: [],
      snapshot,
    } as DryRunAnswer,
    retried: { kind: 'retried', job: jobDetail } as RetryAnswer,
    onboarded: { kind: 'admitted', view: symbolStatus, job_id: jobId } as OnboardAnswer,
    cancelled: { kind: 'requested', symbol: 'BRK-B' } as CancelAnswer,
    /** When set, every read throws it. */
    failure: null as unknown,
    ready: true,
    /** Whose each unspent ticket is. */
    tickets: new Map<string, Viewer>(),
    /** Who inspects the live actors. */
    inspectors: new Set<(message: string) => void>(),
    /** Where the feed is. */
    position: 41,
    /** What happens while the first state of a subscription is read. */
    whileReading: async () => {},
    /** What a resume comes to; null: it is told what `missed` holds. */
    replay: null as Replay | null,
    missed: [] as FeedEntry[],
    emit: (position: number, changes: Partial<FeedEntry> = {}) => {
      fake.position = position;
      const entry = { type: 'transition', ...transition(position), ...changes } as FeedEntry;
      for (const listener of listeners) listener(entry);
      return entry;
    },
    service: null as unknown as Service,
  };
  const read = async <View>(view: View, ...call: unknown[]): Promise<View> => {
    calls.push(call);
    if (fake.failure !== null) throw fake.failure;
    return view;
  };
  const mine = async <View>(view: View, id: string, ...call: unknown[]) =>
    read(id === missingId ? null : view, id, ...call);
  fake.service = {
    portfolios: {
      upload: async (input, options) => {
        uploads.push(input);
        fake.keys.push(options?.key);
        return read(fake.answer);
      },
      dryRun: (input) => read(fake.forecast, 'dryRun', input),
      list: (query, viewer) =>
        read({ portfolios: [portfolio], next_cursor: portfolioId }, 'list', query, viewer),
      remove: (id, viewer) => read(id !== missingId, 'remove', id, viewer),
      find: (id, viewer) => mine(portfolio, id, viewer),
      positions: (id, page, viewer) =>
        mine(
          { portfolio_id: portfolioId, base_currency: 'USD', positions: [lot], next_cursor: '1' },
          id,
          page,
          viewer,
        ),
      exposures: (id, viewer) => mine(portfolioExposures, id, viewer),
      snapshots: (id, page, viewer) =>
        mine(
          { portfolio_id: portfolioId, base_currency: 'USD', snapshots: [snapshot], next_cursor: null },
          id,
          page,
          viewer,
        ),
    },
    symbols: {
      status: (symbol) => read(symbolStatus, symbol),
      remembered: () => fake.remembered,
      statuses: (symbols) => read([symbolStatus], symbols),
      search: (query) => read({ symbols: [profile], next_cursor: '^GSPC' }, query),
      onboard: (symbol, viewer) => read(fake.onboarded, symbol, viewer),
      profile: (symbol) => read(symbol === 'ZZZ' ? null : profile, symbol),
      prices: (symbol, range) => read(symbol === 'ZZZ' ? null : prices, symbol, range),
      exposures: (symbol, query) => read(symbol === 'ZZZ' ? null : exposures, symbol, query),
    },
    onboarding: {
      overview: () => read(overview),
      jobs: (query, viewer) =>
        read(query.portfolio_id === missingId ? null : { jobs: [job], next_cursor: jobId }, query, viewer),
      job: (id, viewer) => mine(jobDetail, id, viewer),
    },
    inspection: {
      async watch(send) {
        fake.inspectors.add(send);
        return () => void fake.inspectors.delete(send);
      },
    },
    actors: {
      list: (query) => read(actors, 'actors', query),
      find: (id) => mine(id === 'supervisor' ? actors.supervisor : actor, id),
      findAt: (id, at) => read(at > 3 ? null : actor, id, at),
      timeline: (id, page) => mine(timeline, id, page),
    },
    operations: {
      retry: (id) => read(fake.retried, 'retry', id),
      cancel: (id) => read(fake.cancelled, 'cancel', id),
      setPaused: (paused) => read({ ...overview, paused }, 'setPaused', paused),
    },
    diagnosis: () =>
      read(
        { verdict: 'ok' as const, node: 'n', checked_at: '2026-03-02T14:30:00.000Z', findings: [] },
        'diagnosis',
      ),
    feed: {
      onEnd(listener) {
        ends.add(listener);
        return () => void ends.delete(listener);
      },
      subscribe(listener) {
        listeners.add(listener);
        return { position: fake.position, close: () => void listeners.delete(listener) };
      },
      reached: async () => {},
      async state(subscriptions, viewer): Promise<FeedState> {
        const { position } = fake;
        await fake.whileReading();
        return read({ position, subscriptions: subscriptions.map(stateOf) }, 'state', subscriptions, viewer);
      },
      async replay({ after, subscriptions }, viewer): Promise<Replay> {
        calls.push(['replay', after, subscriptions, viewer]);
        const { position, missed: entries } = fake;
        if (fake.failure !== null) throw fake.failure;
        const states = subscriptions.map((one) => ({ ...stateOf(one), actors: [] }));
        return fake.replay ?? { kind: 'replayed', position, subscriptions: states, entries };
      },
    },
    tickets: {
      async issue(viewer) {
        const ticket = `ticket-${fake.tickets.size + 1}`;
        fake.tickets.set(ticket, viewer);
        return read({ ticket, expires_at: '2026-03-02T14:30:30.000Z' }, 'issue', viewer);
      },
      async redeem(ticket) {
        const viewer = fake.tickets.get(ticket) ?? null;
        fake.tickets.delete(ticket);
        return read(viewer, 'redeem', ticket);
      },
    },
    measurements: {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      answered: (answer) => void fake.answered.push(answer),
      read: async (live) => `# ${JSON.stringify(live)}\n`,
    },
    health: {
      ready: async () => [
        { name: 'database', status: fake.ready ? 'ok' : 'failed', message: null, duration_ms: 1 },
      ],
    },
  };
  return fake;
}
