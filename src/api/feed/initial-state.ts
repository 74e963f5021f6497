import type { FeedEntry } from '../../contract/feed.ts';
import type { FrameOf, Subscription } from '../../contract/schemas.ts';
import type { Viewer } from '../../contract/service.ts';
import type { HubParts } from './feed-hub.ts';
import { errorFrame } from './frames.ts';
import type { Outlet } from './slow-client.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface InitialStateParts extends Pick<HubParts, 'feed' | 'reached' | 'read' | 'limits'> {
  outlet: Outlet;
  subscriptions: Subscriptions;
  viewer: Viewer;
  refuse: (refusals: readonly FrameOf<'error'>[]) => void;
  concerns: (entry: FeedEntry) => boolean;
  /** Sends the waiting entries up to a position. */
  catchUp: (position: number) => void;
  disconnected: AbortSignal;
}

/**
 * Begins subscriptions: sends their state at one position, from one consistent read.
 *
 * First it sends the entries of earlier subscriptions up to that position, then the state, then everything after it, so
 * no entry is sent twice or out of order. Rejects if the client disconnects or the database is unavailable.
 */
export async function subscribe(parts: InitialStateParts, given: readonly Subscription[]): Promise<void> {
  const { outlet, subscriptions, feed, viewer, refuse } = parts;
  const { admitted, refusals } = subscriptions.admit(given);
  refuse(refusals);
  if (admitted.length === 0) return;
  const { position, subscriptions: states } = await parts.read(() => feed.state(admitted, viewer));
  await parts.reached(position, parts.disconnected);
  parts.catchUp(position);
  await outlet.writable(); // entries may still be buffered, and `live` says that none is missing
  for (const [place, state] of states.entries()) {
    const { id, portfolios, actors, truncated } = state;
    const refusal = subscriptions.begin(admitted[place]!, state);
    if (refusal) {
      refuse([refusal]);
      continue;
    }
    outlet.send({ type: 'subscribed', subscription: id, position, truncated });
    for (const portfolio of portfolios) {
      await outlet.writable();
      outlet.send({ type: 'portfolio', subscription: id, position, ...portfolio });
    }
    for (const actor of actors) {
      await outlet.writable();
      outlet.send({ type: 'actor', subscription: id, position, ...actor });
    }
    outlet.send({ type: 'live', subscriptions: [id], position });
  }
}

/** Replays the entries after `after`. If that is impossible, sends `resync` and begins the subscriptions again. */
export async function resume(
  parts: InitialStateParts,
  { after, subscriptions: given }: FrameOf<'resume'>,
): Promise<void> {
  const { outlet, subscriptions, feed, viewer, limits, refuse } = parts;
  if (subscriptions.used) {
    const message =
      'This connection already has subscriptions. Resume first, with all subscriptions at once.';
    return refuse([errorFrame('resume_too_late', message)]);
  }
  const { admitted, refusals } = subscriptions.admit(given);
  if (admitted.length === 0) return refuse(refusals);
  const wanted = { after, subscriptions: admitted, limit: limits.replay };
  const replay = await parts.read(() => feed.replay(wanted, viewer));
  if (replay.kind === 'resync') {
    const { reason, floor, position } = replay;
    outlet.send({ type: 'resync', reason, after, floor, head: position });
    return subscribe(parts, given);
  }
  refuse(refusals);
  const { position, subscriptions: states, entries } = replay;
  await parts.reached(position, parts.disconnected);
  parts.catchUp(position);
  const begun: string[] = [];
  for (const [place, state] of states.entries()) {
    const refusal = subscriptions.begin(admitted[place]!, state);
    if (refusal) refuse([refusal]);
    else begun.push(state.id);
  }
  if (begun.length === 0) return;
  outlet.send({ type: 'resumed', subscriptions: begun, after, until: position });
  for (const entry of entries) {
    if (!parts.concerns(entry)) continue;
    await outlet.writable();
    outlet.deliver(entry);
  }
  outlet.send({ type: 'live', subscriptions: begun, position });
}
