import type { Feed, FeedEntry } from '../../contract/feed.ts';
import type { FrameOf } from '../../contract/schemas.ts';
import type { Viewer } from '../../contract/service.ts';
import type { Clock } from '../../kernel/clock.ts';
import { createSession, type Session } from './feed-session.ts';
import { closeCodes, type Encode, type Hello, helloFrame, type LiveLimits } from './frames.ts';
import { createOutlet, type Sink } from './slow-client.ts';
import { type FeedIndex, feedIndex } from './subscription-index.ts';

export interface HubOptions {
  feed: Feed;
  clock: Pick<Clock, 'now'>;
  limits: LiveLimits;
  marketData: Hello['marketData'];
  log: (error: unknown) => void;
}

/** All clients of the feed on this node, however they are connected. */
export interface FeedHub {
  /** Greets a client, who has subscribed to nothing yet. */
  join(client: { sink: Sink; encode: Encode; viewer: Viewer }): Session;
  /** What time brings: slow and idle clients end, the others hear how far the feed is. Called about each second. */
  tick(): void;
  /** Says goodbye to everybody. */
  close(): void;
  readonly size: number;
}

/** What sessions share. */
export interface HubParts extends HubOptions {
  index: FeedIndex<Session>;
  /** Everything up to there was handed to the sessions that it concerns. */
  position(): number;
  /** The entries after one position and up to another; null where they are no longer remembered. */
  between(after: number, until: number): readonly FeedEntry[] | null;
  /** The feed has come that far, be it that nothing stands there. */
  reached(position: number, signal: AbortSignal): Promise<void>;
  /** Runs one reading of the database, a few at a time for all clients. */
  read<T>(work: () => Promise<T>): Promise<T>;
}

const rememberedMax = 5000; // entries that come while a client's first frames are read and sent
const readsMax = 4; // of the pool's ten connections

export function feedHub(options: HubOptions): FeedHub {
  const { feed, clock, limits, marketData } = options;
  const index = feedIndex<Session>();
  const sessions = new Set<Session>();
  const remembered: FeedEntry[] = [];
  let positionFrame: FrameOf<'position'> = { type: 'position', position: 0 };

  const subscription = feed.subscribe((entry) => {
    remembered.push(entry);
    position = entry.position;
    if (remembered.length > 2 * rememberedMax) {
      forgotten = remembered[rememberedMax - 1]!.position;
      remembered.splice(0, rememberedMax);
    }
    index.notify(entry, (session) => session.deliver(entry));
  });
  let { position } = subscription;
  let forgotten = position;
  let closed = false;

  const parts: HubParts = {
    ...options,
    index,
    position: () => position,
    between(after, until) {
      if (after < forgotten) return null;
      const first = remembered.findLastIndex((entry) => entry.position <= after) + 1;
      return remembered.slice(first).filter((entry) => entry.position <= until);
    },
    async reached(wanted, signal) {
      await feed.reached(wanted, signal);
      position = Math.max(position, wanted);
    },
    read: limitConcurrency(readsMax),
  };
  return {
    join({ sink, encode, viewer }) {
      const onClose = () => session.ended();
      const outlet = createOutlet({ sink, encode, limits, now: clock.now, onClose });
      const session = createSession({ ...parts, outlet, viewer, onEnd: () => sessions.delete(session) });
      sessions.add(session);
      outlet.send(helloFrame({ position, now: clock.now(), marketData, limits }));
      if (closed) session.close(closeCodes.goingAway, 'shutting down');
      return session;
    },
    tick() {
      const now = clock.now();
      if (positionFrame.position !== position) positionFrame = { type: 'position', position };
      for (const session of sessions) session.tick(now, positionFrame);
    },
    close() {
      closed = true;
      subscription.close();
      for (const session of [...sessions]) session.close(closeCodes.goingAway, 'shutting down');
    },
    get size() {
      return sessions.size;
    },
  };
}

/** Runs so many at once, the others in the order in which they came. */
function limitConcurrency(count: number) {
  const waiting: (() => void)[] = [];
  let free = count;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
