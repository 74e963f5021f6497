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

/** All clients of the feed on this node, over WebSockets and event streams. */
export interface FeedHub {
  /** Adds a client and sends `hello`. It has no subscriptions yet. */
  join(client: { sink: Sink; encode: Encode; viewer: Viewer }): Session;
  /** Closes slow and idle clients, and sends the others the position. Called about once per second. */
  tick(): void;
  /** Closes all clients. */
  close(): void;
  readonly size: number;
}

/** Shared by all sessions. */
export interface HubParts extends HubOptions {
  index: FeedIndex<Session>;
  /** Entries up to this position were delivered to the sessions. */
  position(): number;
  /** The entries after one position up to another; null if they are no longer in memory. */
  between(after: number, until: number): readonly FeedEntry[] | null;
  /** Resolves when the feed has reached a position, even if that has no entry for anyone. */
  reached(position: number, signal: AbortSignal): Promise<void>;
  /** Runs a database read, a few at a time for all clients. */
  read<T>(work: () => Promise<T>): Promise<T>;
}

const rememberedMax = 5000; // enough for the time in which the initial state of a client is read and sent
const readsMax = 4; // of ten connections in the pool

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

/** Runs at most `count` tasks at once, the others in order of arrival. */
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
