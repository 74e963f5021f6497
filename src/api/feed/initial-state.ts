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
  /** Sends what has waited up to a position: nothing that comes before it is owed any more. */
  catchUp: (position: number) => void;
  disconnected: AbortSignal;
}

/**
 * The first frames of subscriptions: how things are at one position, all read at once.
 *
 * What was subscribed to before is told up to that position first, then these frames, then everything after it, so
 * that nothing is told twice or in another order. Rejects when the client is gone, or the database does not answer.
 */
export async function subscribe(parts: InitialStateParts, given: readonly Subscription[]): Promise<void> {
  const { outlet, subscriptions, feed, viewer, refuse } = parts;
  const { admitted, refusals } = subscriptions.admit(given);
  refuse(refusals);
  if (admitted.length === 0) return;
  const { position, subscriptions: states } = await parts.read(() => feed.state(admitted, viewer));
  await parts.reached(position, parts.disconnected);
  parts.catchUp(position);
  await outlet.writable(); // what was caught up may be kept for later, and `live` says that nothing is missing
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

/** What the client has missed since `after`; where that cannot be told, it is told so, and everything begins anew. */
export async function resume(
  parts: InitialStateParts,
  { after, subscriptions: given }: FrameOf<'resume'>,
): Promise<void> {
  const { outlet, subscriptions, feed, viewer, limits, refuse } = parts;
  if (subscriptions.used) {
    const message = 'Resume before anything else is subscribed to, with all subscriptions at once.';
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
