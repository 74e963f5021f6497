import { WebSocket } from 'ws';
import type { ClientFrame, Frame, Selector, SnapshotView } from '../../src/contract/schemas.ts';

export interface Follower {
  /** What it knows of each job, by id. */
  jobs: Map<string, { symbol: string; sequence: number; status: string }>;
  /** The latest totals of each portfolio, by id. */
  totals: Map<string, SnapshotView | null>;
  /** What no client of the feed should see, one sentence each. */
  wrong: string[];
  /** How often it resumed, and how often it had to begin anew. */
  resumed: number;
  resynced: number;
  /** Loses the connection, in whatever it is, and makes a new one. */
  drop(): void;
  /** Wakes with the next frame. */
  told(): Promise<void>;
  close(): void;
}

const pauseMs = 10; // a node that is gone refuses at once

const resumable = new Set<Frame['type']>(['live', 'transition', 'snapshot.updated', 'position']);

/**
 * A client that does nothing but believe the feed, and comes back after each lost connection: it resumes after the
 * highest position that it has heard of, or subscribes anew where its first state had not come whole.
 */
export function follow(selector: Selector, nextUrl: () => string): Follower {
  const subscriptions = [{ id: 'mine', ...selector }];
  let socket: WebSocket | null = null;
  let after: number | null = null;
  const waiting: (() => void)[] = [];
  let closed = false;

  const follower: Follower = {
    jobs: new Map(),
    totals: new Map(),
    wrong: [],
    resumed: 0,
    resynced: 0,
    drop: () => socket?.terminate(),
    told: () => new Promise((resolve) => waiting.push(resolve)),
    close() {
      closed = true;
      socket?.terminate();
    },
  };
  const { jobs, totals, wrong } = follower;

  const connect = () => {
    const connection = new WebSocket(`${nextUrl().replace('http', 'ws')}/ws`, 'onboarding.v1+json');
    let live = false;
    let highest = 0;
    socket = connection;
    connection.on('error', () => {}); // nobody listens there any more
    connection.on('close', () => {
      if (!closed) setTimeout(connect, pauseMs);
    });
    connection.on('open', () => {
      const frame: ClientFrame =
        after === null ? { type: 'subscribe', subscriptions } : { type: 'resume', after, subscriptions };
      connection.send(JSON.stringify(frame));
    });
    connection.on('message', (data) => {
      if (socket !== connection) return;
      hear(JSON.parse(String(data)) as Frame);
      for (const wake of waiting.splice(0)) wake();
    });
    const hear = (frame: Frame) => {
      if (frame.type !== 'hello' && 'position' in frame) {
        if (frame.position < highest) wrong.push(`${frame.type} at ${frame.position} after ${highest}`);
        highest = frame.position;
      }
      if (frame.type === 'live') live = true;
      if (frame.type === 'resumed') {
        follower.resumed += 1;
        live = true; // from here on each position can be resumed after
      }
      if (frame.type === 'resync') {
        follower.resynced += 1;
        after = null;
      }
      if (frame.type === 'subscribed') {
        jobs.clear();
        totals.clear();
      }
      if (frame.type === 'error') wrong.push(`${frame.code}: ${frame.message}`);
      if (frame.type === 'actor') jobs.set(frame.job.job_id, frame.job);
      if (frame.type === 'portfolio') totals.set(frame.portfolio_id, frame.snapshot);
      if (frame.type === 'transition') take(frame);
      if (frame.type === 'snapshot.updated') totals.set(frame.portfolio_id, frame.after);
      if (live && resumable.has(frame.type) && 'position' in frame) after = frame.position;
    };
  };

  const take = (frame: Extract<Frame, { type: 'transition' }>) => {
    const { job_id, symbol, sequence, status, position } = frame;
    const known = jobs.get(job_id)?.sequence ?? 0;
    // Of a job that it had no reason to know of it may hear in the middle: it entered a status.
    const isNew = !jobs.has(job_id) && selector.statuses !== undefined;
    if (sequence !== known + 1 && !isNew) wrong.push(`${symbol}: ${sequence} after ${known}, at ${position}`);
    jobs.set(job_id, { symbol, sequence, status });
  };

  connect();
  return follower;
}
