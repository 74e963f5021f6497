import type { FrameOf, JobDetailView, JobView, SnapshotView, Subscription } from './schemas.ts';
import type { Viewer } from './service.ts';

/** What the feed tells, in the order of `position`. The same object for everybody, and nobody changes it. */
export type FeedEntry = FrameOf<'transition'> | FrameOf<'snapshot.updated'>;

/** A job's last committed state. */
export interface JobSnapshot {
  job: JobView;
  actor_snapshot: JobDetailView['actor_snapshot'];
}

export interface PortfolioState {
  portfolio_id: string;
  /** What its open lots need. */
  symbols: string[];
  snapshot: SnapshotView | null;
}

/** What a subscription begins with. */
export interface SubscriptionState {
  id: string;
  /** Portfolios that are not there, or not the viewer's. */
  missing: string[];
  portfolios: PortfolioState[];
  actors: JobSnapshot[];
  /** There are more jobs of these statuses than are told. */
  truncated: boolean;
}

/** Of several subscriptions at one position. */
export interface FeedState {
  position: number;
  subscriptions: SubscriptionState[];
}

/** What was missed, without the actors; or why it cannot be told. */
export type Replay =
  | ({ kind: 'replayed'; entries: FeedEntry[] } & FeedState)
  | { kind: 'resync'; reason: FrameOf<'resync'>['reason']; floor: number; position: number };

/** Symbols of subscriptions come normalised. */
export interface Feed {
  /** The listener gets committed entries only, ascending by position, none twice, everything after the one answered. */
  subscribe(listener: (entry: FeedEntry) => void): { position: number; close(): void };
  /** Resolves once every entry up to there was told to the listeners; rejects with the signal. */
  reached(position: number, signal: AbortSignal): Promise<void>;
  /** All of it read at one moment. */
  state(subscriptions: readonly Subscription[], viewer: Viewer): Promise<FeedState>;
  replay(
    wanted: { after: number; subscriptions: readonly Subscription[]; limit: number },
    viewer: Viewer,
  ): Promise<Replay>;
  /** For the service itself: the symbol of each job that ended, once that is committed. The answer unsubscribes. */
  onEnd(listener: (symbol: string) => void): () => void;
}
