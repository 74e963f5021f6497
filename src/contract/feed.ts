import type { FrameOf, JobDetailView, JobView, SnapshotView, Subscription } from './schemas.ts';
import type { Viewer } from './service.ts';

/** An entry of the feed, in the order of `position`. All listeners share the object, so it must not be changed. */
export type FeedEntry = FrameOf<'transition'> | FrameOf<'snapshot.updated'>;

/** The last committed state of a job. */
export interface JobSnapshot {
  job: JobView;
  actor_snapshot: JobDetailView['actor_snapshot'];
}

export interface PortfolioState {
  portfolio_id: string;
  /** The symbols that its open lots need. */
  symbols: string[];
  snapshot: SnapshotView | null;
}

/** The initial state of a subscription. */
export interface SubscriptionState {
  id: string;
  /** Portfolios that do not exist or belong to another owner. */
  missing: string[];
  portfolios: PortfolioState[];
  actors: JobSnapshot[];
  /** There are more jobs of these statuses than `actors` has. */
  truncated: boolean;
}

/** The state of several subscriptions at one position. */
export interface FeedState {
  position: number;
  subscriptions: SubscriptionState[];
}

/** The missed entries, without the actors; or why they cannot be replayed. */
export type Replay =
  | ({ kind: 'replayed'; entries: FeedEntry[] } & FeedState)
  | { kind: 'resync'; reason: FrameOf<'resync'>['reason']; floor: number; position: number };

/** Symbols in subscriptions must be normalised. */
export interface Feed {
  /** The listener gets every committed entry after the returned position, once, ascending by position. */
  subscribe(listener: (entry: FeedEntry) => void): { position: number; close(): void };
  /** Resolves when the listeners have every entry up to `position`; rejects with the signal. */
  reached(position: number, signal: AbortSignal): Promise<void>;
  /** A consistent read: all states belong to one position. */
  state(subscriptions: readonly Subscription[], viewer: Viewer): Promise<FeedState>;
  replay(
    wanted: { after: number; subscriptions: readonly Subscription[]; limit: number },
    viewer: Viewer,
  ): Promise<Replay>;
  /** For the service itself: the symbol of each job whose end is committed. Returns how to unsubscribe. */
  onEnd(listener: (symbol: string) => void): () => void;
}
