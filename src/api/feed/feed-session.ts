import type { FeedEntry } from '../../contract/feed.ts';
import type { ClientFrame, FrameOf } from '../../contract/schemas.ts';
import type { Viewer } from '../../contract/service.ts';
import { readFrame } from './client-frames.ts';
import type { HubParts } from './feed-hub.ts';
import { closeCodes, errorFrame } from './frames.ts';
import { resume, subscribe } from './initial-state.ts';
import type { Outlet } from './slow-client.ts';
import { subscriptionsOf } from './subscriptions.ts';

/**
 * One client of the feed: its subscriptions, and how far it has been notified.
 *
 * On a connection positions never go back and no entry is sent twice, in whichever order subscriptions begin: while the
 * initial state of a subscription is read and sent, new entries wait in the hub's memory.
 */
export interface Session {
  /** Handles a message of the client; null stands for a binary one. Never throws. */
  receive(text: string | null): void;
  /** Handles a valid frame. */
  request(frame: ClientFrame): void;
  deliver(entry: FeedEntry): void;
  /** The sink accepts bytes again. */
  drained(): void;
  tick(now: number, position: FrameOf<'position'>): void;
  close(code: number, reason: string): void;
  /** The connection has ended. */
  ended(): void;
}

interface SessionOptions extends HubParts {
  outlet: Outlet;
  viewer: Viewer;
  onEnd: () => void;
}

const queuedMax = 64; // requests in the queue: a client that sends more ignores the responses
const refusalsMax = 100;

export function createSession(options: SessionOptions): Session {
  const { outlet, limits, clock } = options;
  const disconnected = new AbortController();
  const isWithinLimit = requestLimiter(options);
  let idleSince = clock.now();
  let positionSentAt = clock.now();
  let refused = 0;

  const ended = () => {
    if (disconnected.signal.aborted) return;
    disconnected.abort(new Error('the client has disconnected'));
    subscriptions.endAll();
    outlet.ended();
    options.onEnd();
  };
  const { close } = outlet;
  const refuse = (refusals: readonly FrameOf<'error'>[]) => {
    for (const refusal of refusals) outlet.send(refusal);
    refused += refusals.length;
    if (refused > refusalsMax) close(closeCodes.refused, 'too many invalid frames');
  };
  const session: Session = {
    receive(text) {
      if (disconnected.signal.aborted) return;
      if (!isWithinLimit() || queue.length >= queuedMax) {
        refuse([
          errorFrame('too_many_requests', `More than ${limits.requestsPerMinute} frames in a minute.`),
        ]);
        return close(closeCodes.refused, 'too many requests');
      }
      const frame = readFrame(text);
      if (frame.type === 'error') refuse([frame]);
      else queue.push(frame);
    },
    request: (frame) => queue.push(frame),
    deliver(entry) {
      if (!queue.busy) outlet.deliver(entry);
    },
    drained: () => outlet.drained(),
    tick(now, position) {
      outlet.tick(now);
      if (disconnected.signal.aborted || queue.busy) return;
      if (subscriptions.size > 0) idleSince = now;
      else if (now - idleSince >= limits.idleMs) return close(closeCodes.idle, 'no subscription');
      if (subscriptions.size === 0 || outlet.isBehind || now - positionSentAt < limits.pingIntervalMs) return;
      positionSentAt = now;
      outlet.send(position);
    },
    close,
    ended,
  };
  const subscriptions = subscriptionsOf(session, options);
  const queue = requestQueue({
    ...options,
    subscriptions,
    session,
    refuse,
    close,
    disconnected: disconnected.signal,
  });
  return session;
}

interface QueueOptions extends SessionOptions {
  subscriptions: ReturnType<typeof subscriptionsOf>;
  session: Session;
  refuse: (refusals: readonly FrameOf<'error'>[]) => void;
  close: (code: number, reason: string) => void;
  disconnected: AbortSignal;
}

/** Handles the requests of a client one by one; while it is `busy`, new entries wait. */
function requestQueue(options: QueueOptions) {
  const { outlet, index, session, subscriptions, refuse, close, disconnected, log } = options;
  const waiting: ClientFrame[] = [];
  let busy = false;
  let at = 0; // every entry up to this position was sent, or did not concern the client

  const concerns = (entry: FeedEntry) => index.concerns(session, entry);
  const catchUp = (position: number) => {
    const entries = options.between(at, position);
    if (entries === null) return close(closeCodes.tryAgainLater, 'too far behind: resume');
    for (const entry of entries) if (concerns(entry)) outlet.deliver(entry);
    at = Math.max(at, position);
  };
  const parts = { ...options, concerns, catchUp };
  const handle = async (frame: ClientFrame) => {
    if (frame.type === 'subscribe') return subscribe(parts, frame.subscriptions);
    if (frame.type === 'resume') return resume(parts, frame);
    const { ended, refusals } = subscriptions.end(frame.subscriptions);
    refuse(refusals);
    if (ended.length > 0) outlet.send({ type: 'unsubscribed', subscriptions: ended });
  };
  const work = async () => {
    busy = true;
    at = options.position();
    try {
      for (let frame = waiting.shift(); frame && !disconnected.aborted; frame = waiting.shift()) {
        await handle(frame);
        if (!disconnected.aborted) catchUp(options.position());
      }
    } catch (error) {
      if (disconnected.aborted) return;
      log(error);
      outlet.send(errorFrame('feed_unavailable', 'The feed is unavailable now. Connect again in a moment.'));
      close(closeCodes.tryAgainLater, 'the feed is unavailable');
    } finally {
      busy = false;
    }
  };
  return {
    push(frame: ClientFrame) {
      waiting.push(frame);
      if (!busy) void work();
    },
    get length() {
      return waiting.length;
    },
    get busy() {
      return busy;
    },
  };
}

/** Whether a client may send another frame in this minute (fixed window). */
function requestLimiter({ limits, clock }: Pick<SessionOptions, 'limits' | 'clock'>): () => boolean {
  let since = clock.now();
  let count = 0;
  return () => {
    const now = clock.now();
    if (now - since >= 60_000) {
      since = now;
      count = 0;
    }
    count += 1;
    return count <= limits.requestsPerMinute;
  };
}
