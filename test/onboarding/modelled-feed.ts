import type { FeedEntry } from '../../src/contract/feed.ts';
import { type FeedPage, startTransitionFeed } from '../../src/onboarding/feed/transition.feed.ts';
import { portfolioId, snapshot, transition } from '../api/views.ts';
import { settled } from '../machines/harness.ts';
import { TestClock } from '../support/clock.ts';

/** A feed over a log whose commits, notifications and reads come when the test says so. */
export async function modelledFeed({ pageSize = 500 } = {}) {
  const clock = new TestClock();
  /** What stands at each position, from 1 on; null where a snapshot has moved on. */
  const log: (FeedEntry | null)[] = [];
  const notifications: string[] = [];
  const reads: Read[] = [];
  const commits: OwnCommit[] = [];
  const errors: unknown[] = [];
  let asked = 0;
  let gaps = 0;
  let onNotify = (_payload: string) => {};
  let onReconnect = () => {};

  const append = (entries: FeedEntry[]) => {
    notifications.push(JSON.stringify({ from: log.length + 1, to: log.length + entries.length }));
    log.push(...entries);
    return entries;
  };
  const transitions = (size: number) =>
    append(
      Array.from({ length: size }, (_, n) => ({ type: 'transition', ...transition(log.length + 1 + n) })),
    );
  const pageAfter = (position: number): FeedPage => {
    const until = Math.min(log.length, position + pageSize);
    const entries = log.slice(position, until).filter((entry) => entry !== null);
    return { entries, until, head: log.length };
  };
  const feed = await startTransitionFeed({
    begin: async () => log.length,
    read(position) {
      asked += 1;
      const { promise, resolve, reject } = Promise.withResolvers<FeedPage>();
      const read = openRead(() => pageAfter(position), { resolve, reject });
      reads.push(read);
      return promise;
    },
    queue: {
      listen: async (_channel, notify, reconnect) => {
        onNotify = notify;
        onReconnect = reconnect;
        return { close: async () => {} };
      },
    },
    clock,
    log: (error) => errors.push(error),
    onGap: () => {
      gaps += 1;
    },
  });

  function openRead(look: () => FeedPage, { resolve, reject }: Settle<FeedPage>): Read {
    const remove = () => reads.splice(reads.indexOf(read), 1);
    let page: FeedPage | null = null;
    const read = {
      look() {
        page ??= look();
      },
      async answer() {
        read.look();
        remove();
        resolve(page!);
        await settled();
      },
      async fail() {
        remove();
        reject(new Error('the database is away'));
        await settled();
      },
    };
    return read;
  }

  return {
    feed,
    clock,
    log,
    reads,
    commits,
    notifications,
    errors,
    /** How often the feed has asked the database. */
    asked: () => asked,
    gaps: () => gaps,
    /** A commit of this node gets under way. */
    begin(size: number): OwnCommit {
      const { promise, resolve, reject } = Promise.withResolvers<readonly FeedEntry[]>();
      let written: FeedEntry[] | null = null;
      const end = async (settle: () => void) => {
        commits.splice(commits.indexOf(commit), 1);
        settle();
        await settled();
      };
      const commit: OwnCommit = {
        land() {
          written ??= transitions(size);
        },
        answer() {
          commit.land();
          return end(() => resolve(written!));
        },
        answerNothing: () => end(() => resolve([])),
        fail: () => end(() => reject(new Error('the connection is lost'))),
      };
      commits.push(commit);
      feed.offer(promise);
      return commit;
    },
    /** Another node commits. */
    other: transitions,
    /** A portfolio is valued, for the first time or anew: then its former place is nobody's. */
    value(again: boolean) {
      const last = log.findLastIndex((entry) => entry?.type === 'snapshot.updated');
      if (again && last >= 0) log[last] = null;
      append([valued(log.length + 1)]);
    },
    async deliver(index = 0) {
      const [payload] = notifications.splice(index, 1);
      if (payload !== undefined) onNotify(payload);
      await settled();
    },
    async notify(payload: string) {
      onNotify(payload);
      await settled();
    },
    async reconnect() {
      onReconnect();
      await settled();
    },
    async close() {
      const closed = feed.close();
      while (reads.length > 0) await reads[0]!.answer();
      await closed;
    },
    /** Listens; what was told, and after which position. */
    listen() {
      const told: FeedEntry[] = [];
      const { position } = feed.subscribe((entry) => told.push(entry));
      return { position, told };
    },
  };
}

export interface OwnCommit {
  /** The database has committed it; this node does not know yet. */
  land(): void;
  answer(): Promise<void>;
  answerNothing(): Promise<void>;
  /** Its answer is lost; it may have landed. */
  fail(): Promise<void>;
}

interface Read {
  /** The database looks, at some moment between the question and its answer. */
  look(): void;
  answer(): Promise<void>;
  fail(): Promise<void>;
}

interface Settle<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

const valued = (position: number): FeedEntry => ({
  type: 'snapshot.updated',
  position,
  portfolio_id: portfolioId,
  cause: null,
  before: null,
  after: snapshot,
});
