import type {
  Feed,
  FeedEntry,
  JobSnapshot,
  PortfolioState,
  Replay,
  SubscriptionState,
} from '../../contract/feed.ts';
import type { Subscription } from '../../contract/schemas.ts';
import type { Viewer } from '../../contract/service.ts';
import type { Database, Transaction } from '../../database/database.orm.ts';
import type { SnapshotFeed } from '../../portfolio/snapshot-feed.query.ts';
import type { JournalFeed, Named } from './journal-feed.query.ts';
import type { FeedPage } from './transition.feed.ts';

interface FeedParts {
  database: Database;
  journal: JournalFeed;
  snapshots: SnapshotFeed;
}

/** The initial state of a subscription has at most this many jobs per status, the newest ones. */
const actorsMax = 1000;
/** A resume scans at most this many positions. */
const replaySpan = 200_000;

/** Reads the feed after a position. Snapshot updates are read only if the transitions leave gaps in the positions. */
export function feedReader({
  journal,
  snapshots,
}: Omit<FeedParts, 'database'>): (position: number) => Promise<FeedPage> {
  return async (position) => {
    const { head, until, transitions } = await journal.after(position);
    const rest = until - position > transitions.length;
    const updates = rest ? await snapshots.between({ after: position, until }, null) : [];
    return { head, until, entries: inOrder([...transitions, ...updates]) };
  };
}

/** The initial state of subscriptions, and the replay of what they missed. Each is one consistent read. */
export function feedStates({ database, journal, snapshots }: FeedParts): Pick<Feed, 'state' | 'replay'> {
  const atOnce = <T>(work: (on: Transaction) => Promise<T>) =>
    database.transaction(async (on) => {
      await database.sql('set transaction isolation level repeatable read, read only', [], { on });
      return work(on);
    });
  const portfoliosOf = (wanted: readonly Subscription[], viewer: Viewer, on: Transaction) =>
    snapshots.states([...new Set(wanted.flatMap(({ portfolios = [] }) => portfolios))], viewer, { on });
  return {
    state: (wanted, viewer) =>
      atOnce(async (on) => {
        const { position } = await journal.head({ on });
        const portfolios = await portfoliosOf(wanted, viewer, on);
        const rows = await journal.actors(namedIn(wanted, portfolios), { limit: actorsMax, on });
        return { position, subscriptions: wanted.map((one) => stateOf(one, { portfolios, ...rows })) };
      }),
    replay: ({ after, subscriptions: wanted, limit }, viewer) =>
      atOnce(async (on): Promise<Replay> => {
        const { position, floor } = await journal.head({ on });
        const resync = (reason: 'expired' | 'ahead' | 'too_far') =>
          ({ kind: 'resync', reason, floor, position }) as const;
        if (after < floor) return resync('expired');
        if (after > position) return resync('ahead');
        if (position - after > replaySpan) return resync('too_far');
        const portfolios = await portfoliosOf(wanted, viewer, on);
        const named = namedIn(wanted, portfolios);
        const range = { after, until: position };
        const options = { limit: limit + 1, on };
        const entries = inOrder([
          ...(await journal.between(range, named, options)),
          ...(await snapshots.between(range, named.everything ? null : idsOf(portfolios), options)),
        ]);
        if (entries.length > limit) return resync('too_far');
        const noActors = { actors: [], truncated: [] };
        const subscriptions = wanted.map((one) => stateOf(one, { portfolios, ...noActors }));
        return { kind: 'replayed', position, subscriptions, entries };
      }),
  };
}

const inOrder = (entries: FeedEntry[]): FeedEntry[] => entries.sort((a, b) => a.position - b.position);
const idsOf = (portfolios: readonly PortfolioState[]) => portfolios.map((one) => one.portfolio_id);

/** Everything that the subscriptions name, including the symbols of their portfolios. */
function namedIn(wanted: readonly Subscription[], portfolios: readonly PortfolioState[]): Named {
  return {
    everything: wanted.some(({ everything }) => everything),
    symbols: [
      ...new Set([
        ...wanted.flatMap(({ symbols = [] }) => symbols),
        ...portfolios.flatMap((one) => one.symbols),
      ]),
    ],
    jobs: [...new Set(wanted.flatMap(({ jobs = [] }) => jobs))],
    statuses: [...new Set(wanted.flatMap(({ statuses = [] }) => statuses))],
  };
}

interface FeedRows {
  portfolios: readonly PortfolioState[];
  actors: readonly JobSnapshot[];
  truncated: readonly string[];
}

/** The part of the rows that belongs to one subscription. */
function stateOf(wanted: Subscription, rows: FeedRows): SubscriptionState {
  const { id, everything = false, symbols = [], jobs = [], statuses = [], portfolios: asked = [] } = wanted;
  const portfolios = rows.portfolios.filter(({ portfolio_id }) => asked.includes(portfolio_id));
  const known = new Set(idsOf(portfolios));
  const needed = new Set([...symbols, ...portfolios.flatMap((one) => one.symbols)]);
  const newest = new Map<string, string>();
  for (const { job } of rows.actors) {
    if (job.job_id > (newest.get(job.symbol) ?? '')) newest.set(job.symbol, job.job_id);
  }
  const isWanted = ({ job }: JobSnapshot) =>
    (everything && (job.status === 'pending' || job.status === 'processing')) ||
    jobs.includes(job.job_id) ||
    statuses.includes(job.status) ||
    (needed.has(job.symbol) && newest.get(job.symbol) === job.job_id);
  return {
    id,
    missing: asked.filter((one) => !known.has(one)),
    portfolios,
    actors: rows.actors.filter(isWanted),
    truncated: rows.truncated.some(
      (status) => everything || (statuses as readonly string[]).includes(status),
    ),
  };
}
